/**
 * 128 bits of a text as hexadecimal: four lanes of MurmurHash3's 32-bit mixing (Appleby 2008) with different seeds. For keys of caches
 * whose full text would be long; not for adversaries.
 */
export function digest(text: string): string {
  let a = 0x9e3779b9, b = 0x85ebca6b, c = 0xc2b2ae35, d = 0x27d4eb2f;
  for (let i = 0; i < text.length; i++) {
    const k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    a = Math.imul(rotate(a ^ k, 13), 5) + 0xe6546b64;
    b = Math.imul(rotate(b ^ rotate(k, 15), 17), 9) + a;
    c = Math.imul(rotate(c + k, 19), 0x1b873593) ^ b;
    d = Math.imul(rotate(d ^ k, 11), 0x85ebca6b) + c;
  }
  return [a, b, c, d].map((x) => final(x ^ text.length).toString(16).padStart(8, "0")).join("");
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
function final(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
