const float = new Float64Array(1);
const single = new Float32Array(float.buffer, 0, 1);
const floatBytes = new Uint8Array(float.buffer);
const encoder = new TextEncoder();

/** A growing list of bytes with the encodings of the WebAssembly binary format. */
export class ByteWriter {
  private data = new Uint8Array(512);
  length = 0;

  private reserve(n: number): void {
    if (this.length + n <= this.data.length) return;
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.length + n));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }

  byte(b: number): this {
    if (this.length === this.data.length) this.reserve(1);
    this.data[this.length++] = b;
    return this;
  }

  bytes(list: ArrayLike<number>): this {
    if (this.length + list.length > this.data.length) this.reserve(list.length);
    this.data.set(list, this.length);
    this.length += list.length;
    return this;
  }

  /** An opcode: one byte, or a prefix and an unsigned number. */
  opcode(code: number): this { return code > 0xff ? this.pair(code >>> 16, code & 0xffff) : this.byte(code); }

  /** A byte, such as an opcode, and an unsigned number. */
  pair(byte: number, value: number): this { return this.byte(byte).unsigned(value); }

  /** Unsigned LEB128, up to 32 bits. */
  unsigned(value: number): this {
    if (this.length + 5 > this.data.length) this.reserve(5);
    let v = value >>> 0;
    while (v > 0x7f) {
      this.data[this.length++] = (v & 0x7f) | 0x80;
      v >>>= 7;
    }
    this.data[this.length++] = v;
    return this;
  }

  /** Signed LEB128, 32 bits. */
  signed(value: number): this {
    if (this.length + 5 > this.data.length) this.reserve(5);
    let v = value | 0;
    while (v < -0x40 || v > 0x3f) {
      this.data[this.length++] = (v & 0x7f) | 0x80;
      v >>= 7;
    }
    this.data[this.length++] = v & 0x7f;
    return this;
  }

  /** Signed LEB128, 64 bits. */
  signed64(value: bigint): this {
    let v = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(v & 0x7fn);
      v >>= 7n;
      if ((v === 0n && (low & 0x40) === 0) || (v === -1n && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** Unsigned LEB128 in exactly five bytes, so that it can be patched later. */
  padded(value: number): this {
    this.reserve(5);
    this.length += 5;
    this.patch(this.length - 5, value);
    return this;
  }

  patch(at: number, value: number): void {
    for (let i = 0; i < 5; i++) this.data[at + i] = ((value >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  }

  f32(x: number): this {
    single[0] = x;
    return this.bytes(floatBytes.subarray(0, 4));
  }

  f64(x: number): this {
    float[0] = x;
    return this.bytes(floatBytes);
  }

  name(text: string): this {
    const utf8 = encoder.encode(text);
    return this.unsigned(utf8.length).bytes(utf8);
  }

  /** What was written, as a view. */
  view(): Uint8Array<ArrayBuffer> {
    return this.data.subarray(0, this.length);
  }
}

/** Reads the same encodings back. */
export class ByteReader {
  at = 0;
  constructor(readonly data: Uint8Array) {}

  get done(): boolean { return this.at >= this.data.length; }

  byte(): number {
    return this.data[this.at++]!;
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = this.byte();
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return value >>> 0;
    }
  }

  signed(): number {
    return Number(BigInt.asIntN(32, this.signed64()));
  }

  signed64(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const b = this.byte();
      value |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
  }

  f32(): number {
    this.at += 4;
    return new DataView(this.data.buffer, this.data.byteOffset).getFloat32(this.at - 4, true);
  }

  f64(): number {
    this.at += 8;
    return new DataView(this.data.buffer, this.data.byteOffset).getFloat64(this.at - 8, true);
  }

  take(n: number): Uint8Array {
    this.at += n;
    return this.data.subarray(this.at - n, this.at);
  }
}
