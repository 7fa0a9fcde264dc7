/** A piece of the heap; neighbours in memory are linked, and so are free pieces of one bin. */
export interface Block {
  readonly address: number;
  size: number;
  free: boolean;
  before: Block | undefined;
  after: Block | undefined;
  previousFree: Block | undefined;
  nextFree: Block | undefined;
}

export const alignment = 64;
export const roundUp = (bytes: number, to = alignment): number => Math.ceil(bytes / to) * to;

const subdivisions = 4;
const binCount = 32 * subdivisions;

/** Bin of a size: its power of two in four parts. */
function binOf(units: number): number {
  const log = 31 - Math.clz32(units);
  return log < 2 ? units : log * subdivisions + ((units >>> (log - 2)) & 3);
}

/**
 * Two-level segregated fit (Masmano, Ripoll, Crespo, Real 2004): allocation and release in constant time, neighbours coalesce.
 * Blocks are multiples of 64 bytes at multiples of 64.
 */
export class Allocator {
  private readonly bins: (Block | undefined)[] = new Array<Block | undefined>(binCount).fill(undefined);
  private readonly occupied = new Uint32Array(binCount / 32);
  private last: Block | undefined;
  private end: number;
  /** Bytes in blocks given out. */
  used = 0;

  /** @param start first address, a multiple of 64. @param grow makes room for so many more bytes at the end and says how many it made; throws when it cannot. */
  constructor(start: number, private readonly grow: (bytes: number) => number) {
    this.end = start;
  }

  allocate(bytes: number): Block {
    const size = Math.max(roundUp(bytes), alignment);
    // No heap has 4 GiB, and the bins know sizes below 2^38 bytes alone.
    let block = size < 2 ** 32 ? this.find(size) : undefined;
    if (block === undefined) {
      this.extend(size);
      block = this.find(size)!;
    }
    this.unlink(block);
    if (block.size > size) this.split(block, size);
    this.used += block.size;
    return block;
  }

  release(block: Block): void {
    if (block.free) return;
    this.used -= block.size;
    const { before, after } = block;
    let merged = block;
    if (before?.free) {
      this.unlink(before);
      before.size += block.size;
      this.removeNeighbour(block);
      merged = before;
    }
    if (after?.free) {
      this.unlink(after);
      merged.size += after.size;
      this.removeNeighbour(after);
      after.free = true;
    }
    // A merged block may be held by its last owner still: marked free, a second release of it does nothing.
    block.free = true;
    this.link(merged);
  }

  private removeNeighbour(block: Block): void {
    const { before, after } = block;
    if (before) before.after = after;
    if (after) after.before = before;
    else this.last = before;
  }

  private split(block: Block, size: number): void {
    const rest: Block = { address: block.address + size, size: block.size - size, free: true, before: block, after: block.after, previousFree: undefined, nextFree: undefined };
    if (block.after) block.after.before = rest;
    else this.last = rest;
    block.after = rest;
    block.size = size;
    this.link(rest);
  }

  private link(block: Block): void {
    block.free = true;
    const bin = binOf(block.size / alignment);
    const head = this.bins[bin];
    block.previousFree = undefined;
    block.nextFree = head;
    if (head) head.previousFree = block;
    this.bins[bin] = block;
    this.occupied[bin >>> 5]! |= 1 << (bin & 31);
  }

  private unlink(block: Block): void {
    const bin = binOf(block.size / alignment);
    if (block.previousFree) block.previousFree.nextFree = block.nextFree;
    else {
      this.bins[bin] = block.nextFree;
      if (!block.nextFree) this.occupied[bin >>> 5]! &= ~(1 << (bin & 31));
    }
    if (block.nextFree) block.nextFree.previousFree = block.previousFree;
    block.previousFree = block.nextFree = undefined;
    block.free = false;
  }

  private find(size: number): Block | undefined {
    const bin = binOf(size / alignment);
    // Blocks of the bin itself may be too small; the first few are tried, since results of one program have one size.
    let candidate = this.bins[bin];
    for (let tries = 0; candidate && tries < 8; tries++, candidate = candidate.nextFree) if (candidate.size >= size) return candidate;
    const from = bin + 1;
    for (let word = from >>> 5; word < this.occupied.length; word++) {
      let bits = this.occupied[word]!;
      if (word === from >>> 5) bits &= -1 << (from & 31);
      if (bits !== 0) return this.bins[word * 32 + 31 - Math.clz32(bits & -bits)];
    }
    return undefined;
  }

  private extend(size: number): void {
    const missing = this.last?.free ? size - this.last.size : size;
    const made = this.grow(missing);
    if (this.last?.free) {
      const block = this.last;
      this.unlink(block);
      block.size += made;
      this.link(block);
    } else {
      const block: Block = { address: this.end, size: made, free: true, before: this.last, after: undefined, previousFree: undefined, nextFree: undefined };
      if (this.last) this.last.after = block;
      this.last = block;
      this.link(block);
    }
    this.end += made;
  }
}
