// The crystal as both sources describe it: cells and basis positions of the sites, from which places follow.

import { bytesOf } from "./numbers.js";

// described: {n, cell, basis, centre, radius, zones, layers, species, arrays}; arrays as bytes, or as base64 text.
export function crystalOf(described) {
  const [cells, basis, zone, layer] = ["cells", "basis_of", "zone", "layer"].map((name) => {
    const given = described.arrays[name];
    return typeof given === "string" ? bytesOf(given) : given;
  });
  const { n, cell, centre } = described, grid = new Uint16Array(cells.buffer, cells.byteOffset, 3 * n), places = new Float32Array(3 * n);
  for (let k = 0; k < n; k++) {
    const at = described.basis[basis[k]].map((part, j) => part + grid[3 * k + j]);
    for (let x = 0; x < 3; x++) places[3 * k + x] = at[0] * cell[0][x] + at[1] * cell[1][x] + at[2] * cell[2][x] - centre[x];
  }
  return { ...described, places, zone, layer };
}
