// Spheres with WebGL2: each site is one point that is shaded round. A site's look is two bytes, so an event costs four.

import { VACANCY, amountPalette, rgbOf } from "./colours.js";

const VERTEX = `#version 300 es
in vec3 place; in uint code; in uint tone;
uniform mat3 turn; uniform vec2 view, shift; uniform float scale, reach; uniform bool toned;
uniform sampler2D looks;
out vec3 colour; out float near; flat out int hollow;
void main() {
  vec3 seen = place * turn;
  vec4 look = texelFetch(looks, ivec2(int(code), 0), 0);
  gl_Position = vec4((seen.xy * scale + vec2(shift.x, -shift.y)) * 2.0 / view, -seen.z / reach, 1.0);
  gl_PointSize = max(2.0 * look.a * 4.0 * scale, 1.5);
  hollow = int(code) == ${VACANCY} ? 1 : 0;
  colour = toned && hollow == 0 ? texelFetch(looks, ivec2(int(tone), 1), 0).rgb : look.rgb;
  near = clamp(0.5 + 0.5 * seen.z / reach, 0.0, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 colour; in float near; flat in int hollow;
uniform vec3 paper; uniform float strength;
out vec4 pixel;
void main() {
  vec2 at = gl_PointCoord * 2.0 - 1.0;
  float r2 = dot(at, at);
  if (r2 > 1.0) discard;
  vec3 shade;
  if (hollow == 1) {
    shade = r2 > 0.36 ? vec3(0.0) : vec3(1.0);
    if (r2 > 0.9) shade = vec3(0.55);
  } else {
    float light = 0.62 + 0.40 * dot(vec3(at.x, -at.y, sqrt(1.0 - r2)), vec3(-0.42, 0.5, 0.76));
    shade = mix(paper, colour * light + 0.06, 0.55 + 0.45 * near);
    if (r2 > 0.84) shade = mix(shade, vec3(paper.r < 0.5 ? 0.8 : 0.0), 0.22);
  }
  pixel = vec4(shade, strength);
}`;
const BINS = 4096;
const CELL = 5; // Å, of the grid of fronts
const DEEP = 22; // Å, some six layers

export class Spheres {
  // places: 3 N floats / Å; species: [{code, colour, radius}].
  constructor(canvas, places, species, radius) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, powerPreference: "low-power" });
    if (!gl) throw new Error("this browser has no WebGL2");
    Object.assign(this, { canvas, gl, places, n: places.length / 3, reach: radius * 1.6 });
    this.codes = new Uint8Array(this.n);
    this.tones = new Uint8Array(this.n);
    this.order = new Uint32Array(this.n);
    this.depth = new Uint16Array(this.n);
    this.program = this.#built();
    this.at = Object.fromEntries(["turn", "view", "shift", "scale", "reach", "toned", "looks", "paper", "strength"].map((name) => [name, gl.getUniformLocation(this.program, name)]));
    this.codeBuffer = this.#attribute("code", this.codes);
    this.toneBuffer = this.#attribute("tone", this.tones);
    this.#attribute("place", places);
    this.indexBuffer = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indexBuffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.order.byteLength, gl.DYNAMIC_DRAW);
    this.#looks(species);
  }

  #built() {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`WebGL2 refused the shaders: ${gl.getProgramInfoLog(program)}`);
    gl.useProgram(program);
    return program;
  }

  #attribute(name, values) {
    const gl = this.gl, buffer = gl.createBuffer(), where = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(where);
    if (values instanceof Float32Array) gl.vertexAttribPointer(where, 3, gl.FLOAT, false, 0, 0);
    else gl.vertexAttribIPointer(where, 1, gl.UNSIGNED_BYTE, 0, 0);
    return buffer;
  }

  // Two rows of colours: of species (with their radii, in units of 4 Å), and of tones.
  #looks(species) {
    const gl = this.gl, pixels = new Uint8Array(2 * 256 * 4);
    for (const { code, colour, radius } of species) pixels.set([...rgbOf(colour).map((x) => 255 * x), (255 * radius) / 4], 4 * code);
    this.tonePixels = (palette) => palette.forEach((colour, k) => pixels.set([...colour.map((x) => 255 * x), 255], 4 * (256 + k)));
    this.tonePixels(amountPalette());
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    this.sendLooks = () => gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 2, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    this.sendLooks();
  }

  // Occupants have changed on these sites, or everywhere.
  changed(sites) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.codeBuffer);
    if (!sites || sites.length > 200) gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.codes);
    else for (const site of sites) gl.bufferSubData(gl.ARRAY_BUFFER, site, this.codes, site, 1);
  }

  // Colour by tones (bytes into the palette) instead of species; null: by species again.
  toneBy(tones, palette) {
    this.toned = tones !== null;
    if (!this.toned) return;
    this.tones.set(tones);
    this.tonePixels(palette);
    this.sendLooks();
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.toneBuffer);
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, 0, this.tones);
  }

  // Which sites are drawn, from front to back: what lies behind is then not even shaded. In a solid view (nothing is
  // hidden by its species) those far behind the front are left out: no gap between spheres reaches so deep.
  arrange(turn, shown, solid) {
    const [right, up, [x, y, z]] = turn, { places, n, depth, order, reach } = this, cells = Math.ceil((2 * reach) / CELL) + 2;
    const ahead = new Float32Array(n), cell = new Uint32Array(n), front = new Float32Array(cells * cells).fill(-Infinity);
    const along = (axis, k) => axis[0] * places[3 * k] + axis[1] * places[3 * k + 1] + axis[2] * places[3 * k + 2];
    for (let k = 0; k < n; k++) {
      if (!shown(k)) { ahead[k] = NaN; continue; }
      ahead[k] = x * places[3 * k] + y * places[3 * k + 1] + z * places[3 * k + 2];
      if (!solid) continue;
      cell[k] = cells * (1 + Math.floor((along(up, k) + reach) / CELL)) + 1 + Math.floor((along(right, k) + reach) / CELL);
      if (ahead[k] > front[cell[k]]) front[cell[k]] = ahead[k];
    }
    const around = [-cells - 1, -cells, -cells + 1, -1, 0, 1, cells - 1, cells, cells + 1];
    const nearest = solid ? front.map((_, c) => around.reduce((least, step) => Math.min(least, front[c + step] ?? -Infinity), Infinity)) : front;
    const starts = new Uint32Array(BINS + 1);
    for (let k = 0; k < n; k++) {
      depth[k] = BINS;
      if (Number.isNaN(ahead[k]) || (solid && ahead[k] < nearest[cell[k]] - DEEP)) continue;
      depth[k] = Math.min(BINS - 1, Math.max(0, ((reach - ahead[k]) / (2 * reach)) * BINS));
      starts[depth[k] + 1]++;
    }
    for (let b = 0; b < BINS; b++) starts[b + 1] += starts[b];
    this.drawn = starts[BINS];
    for (let k = 0; k < n; k++) if (depth[k] < BINS) order[starts[depth[k]]++] = k;
    this.gl.bindBuffer(this.gl.ELEMENT_ARRAY_BUFFER, this.indexBuffer);
    this.gl.bufferSubData(this.gl.ELEMENT_ARRAY_BUFFER, 0, order, 0, this.drawn);
  }

  draw(camera, paper, xray) {
    const { gl, at, canvas } = this, ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    gl.viewport(0, 0, w, h);
    gl.clearColor(...paper, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    const t = camera.turn;
    gl.uniformMatrix3fv(at.turn, false, [...t[0], ...t[1], ...t[2]]);
    gl.uniform2f(at.view, w, h);
    gl.uniform2f(at.shift, camera.shift[0] * ratio, camera.shift[1] * ratio);
    gl.uniform1f(at.scale, camera.scale(width, height) * ratio);
    gl.uniform1f(at.reach, this.reach);
    gl.uniform1i(at.toned, this.toned ? 1 : 0);
    gl.uniform3f(at.paper, ...paper);
    gl.uniform1f(at.strength, 1);
    gl.drawElements(gl.POINTS, this.drawn, gl.UNSIGNED_INT, 0);
    if (xray) this.#through(xray);
  }

  // Vacancies once more, faintly, through whatever lies before them.
  #through(shown) {
    const { gl, at, codes } = this, rings = Uint32Array.from(codes.keys()).filter((site) => codes[site] === VACANCY && shown(site));
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.uniform1f(at.strength, 0.55);
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rings, gl.STREAM_DRAW);
    gl.drawElements(gl.POINTS, rings.length, gl.UNSIGNED_INT, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indexBuffer);
    gl.deleteBuffer(buffer);
  }
}
