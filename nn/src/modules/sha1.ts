/** SHA-1 (FIPS 180-4), here only to turn names into numbers as Flax does: the first 32 bits of the digest. */
export function sha1Word(bytes: Uint8Array): number {
  const length = bytes.length;
  const blocks = new DataView(new ArrayBuffer(Math.ceil((length + 9) / 64) * 64));
  bytes.forEach((b, i) => blocks.setUint8(i, b));
  blocks.setUint8(length, 0x80);
  blocks.setUint32(blocks.byteLength - 4, length * 8);
  const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const rotate = (v: number, n: number): number => (v << n) | (v >>> (32 - n));
  const w = new Int32Array(80);
  for (let start = 0; start < blocks.byteLength; start += 64) {
    for (let t = 0; t < 80; t++) w[t] = t < 16 ? blocks.getInt32(start + 4 * t) : rotate(w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!, 1);
    let [a, b, c, d, e] = h as [number, number, number, number, number];
    for (let t = 0; t < 80; t++) {
      const [f, k] = t < 20 ? [(b & c) | (~b & d), 0x5a827999] : t < 40 ? [b ^ c ^ d, 0x6ed9eba1] : t < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc] : [b ^ c ^ d, 0xca62c1d6];
      [a, b, c, d, e] = [(rotate(a, 5) + f + e + k + w[t]!) | 0, a, rotate(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((v, i) => { h[i] = (h[i]! + v) | 0; });
  }
  return h[0]! >>> 0;
}

/** The number that Flax folds into a key for a path of names and counts: the hash of their bytes, numbers big-endian without leading zeros. */
export function hashPath(path: readonly (string | number)[]): number {
  const encoder = new TextEncoder();
  const bytes = path.flatMap((part) => {
    if (typeof part === "string") return [...encoder.encode(part)];
    const digits: number[] = [];
    for (let n = part; n > 0; n = Math.floor(n / 256)) digits.unshift(n % 256);
    return digits;
  });
  return sha1Word(Uint8Array.from(bytes));
}
