// Colours of species, of kinds (zones) and of amounts; all of them are told apart in colour-blind vision.

export const VACANCY = 0;
const KINDS = ["#4477AA", "#EE7733", "#228833", "#CC3377", "#66CCEE", "#AA9900", "#7A7F87", "#882255"];
const AMOUNTS = ["#00224E", "#123570", "#3B496C", "#575D6D", "#707173", "#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838"];
export const UNKNOWN = "#D5D8DE";

export const kindColour = (n) => KINDS[n % KINDS.length];
export const amountColours = AMOUNTS;

export const rgbOf = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255);

// The palette of 256 entries that bytes of a scalar point into: 0 … 254 from little to much, 255 for "not known".
export function amountPalette() {
  const colours = [];
  for (let k = 0; k < 255; k++) {
    const at = (k / 254) * (AMOUNTS.length - 1), low = Math.min(Math.floor(at), AMOUNTS.length - 2);
    const [a, b] = [rgbOf(AMOUNTS[low]), rgbOf(AMOUNTS[low + 1])];
    colours.push(a.map((value, c) => value + (at - low) * (b[c] - value)));
  }
  return [...colours, rgbOf(UNKNOWN)];
}
