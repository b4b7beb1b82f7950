// Numbers as text, and bytes as arrays.

export const count = (n) => Math.round(n).toLocaleString("en-US").replaceAll(",", "\u202f");

export function rate(value) {
  if (!Number.isFinite(value)) return "–";
  return value === 0 || (value >= 0.01 && value < 1e4) ? Number(value.toPrecision(3)).toString() : value.toExponential(2);
}

export function seconds(value) {
  if (value === 0) return "0 s";
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]]) {
    if (value >= size) return `${Number((value / size).toPrecision(5))} ${unit}`;
  }
  return `${value.toExponential(2)} s`;
}

export function percent(share) {
  const value = 100 * share;
  if (value === 0 || value >= 0.01) return `${value.toFixed(2)} %`;
  return `${value.toExponential(0)} %`;
}

export const nanometres = (angstrom) => `${(angstrom / 10).toFixed(2)} nm`;

export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

