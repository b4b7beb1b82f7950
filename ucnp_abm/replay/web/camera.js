// Where one looks from: an orientation, a zoom and a shift. Parallel projection, so that the scale bar holds everywhere.

const normal = (v) => { const n = Math.hypot(...v); return v.map((x) => x / n); };
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export class Camera {
  // cell: three vectors / Å; radius / Å of what is to be seen.
  constructor(cell, radius) {
    this.radius = radius;
    const [a, , c] = cell.map(normal);
    this.axes = [a, normal(cross(cell[2], cell[0])), c];
    this.names = ["a", "b*", "c"];
    this.zoom = 1;
    this.shift = [0, 0];
    this.along(1);
  }

  // Look along an axis (0, 1, 2), or from a corner (3).
  along(which) {
    const [a, b, c] = this.axes;
    const towards = which === 3 ? normal(a.map((x, k) => 0.5 * x - 0.7 * b[k] + 0.45 * c[k])) : this.axes[which].map((x) => (which === 1 ? -x : x));
    const up = which === 2 ? b : c;
    const right = normal(cross(up, towards));
    this.turn = [right, cross(towards, right), towards];
    this.shift = [0, 0];
  }

  rotate(dx, dy) {
    const [cx, sx, cy, sy] = [Math.cos(dy), Math.sin(dy), Math.cos(dx), Math.sin(dx)];
    const [r, u, t] = this.turn;
    const mixed = (p, q, s, o) => p.map((x, k) => s * x + o * q[k]);
    const right = mixed(r, t, cy, -sy), ahead = mixed(t, r, cy, sy);
    this.turn = [normal(right), normal(mixed(u, ahead, cx, sx)), normal(mixed(ahead, u, cx, -sx))];
  }

  // Pixels per Å in a view of these pixels.
  scale(width, height) {
    return (this.zoom * 0.46 * Math.min(width, height)) / this.radius;
  }

  // Pixel of a point, and its depth / Å towards the eye.
  project(point, width, height) {
    const s = this.scale(width, height);
    return [width / 2 + this.shift[0] + s * dot(this.turn[0], point), height / 2 + this.shift[1] - s * dot(this.turn[1], point), dot(this.turn[2], point)];
  }
}
