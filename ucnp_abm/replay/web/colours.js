// Colours of species, of kinds (zones) and of amounts; all of them are told apart in colour-blind vision.

export const VACANCY = 0;
const KINDS = ["#4477AA", "#EE7733", "#228833", "#CC3377", "#66CCEE", "#AA9900", "#7A7F87", "#882255"];
const FROM_DARK = ["#00224E", "#123570", "#3B496C", "#575D6D", "#707173", "#8A8678", "#A59C74", "#C3B369", "#E1CC55", "#FEE838"];

// On paper much is dark, on a dark screen much is bright; what is not known recedes into either.
const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
export const amountColours = () => (isDark() ? FROM_DARK : [...FROM_DARK].reverse());
export const unknownColour = () => (isDark() ? "#3A4250" : "#D9DCE2");

export const kindColour = (n) => KINDS[n % KINDS.length];

export const rgbOf = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255);

// The palette of 256 entries that bytes of a scalar point into: 0 … 254 from little to much, 255 for "not known".
export function amountPalette() {
  const [colours, amounts] = [[], amountColours()];
  for (let k = 0; k < 255; k++) {
    const at = (k / 254) * (amounts.length - 1), low = Math.min(Math.floor(at), amounts.length - 2);
    const [a, b] = [rgbOf(amounts[low]), rgbOf(amounts[low + 1])];
    colours.push(a.map((value, c) => value + (at - low) * (b[c] - value)));
  }
  return [...colours, rgbOf(unknownColour())];
}
