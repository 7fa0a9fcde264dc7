import type { Block } from "./allocator.js";

interface Holding {
  readonly release: (block: Block) => void;
  block: Block | undefined;
}

/** Who holds one has its block; the block goes back when nobody holds it any more. */
export class Owner {
  constructor(readonly holding: Holding) {}
  get block(): Block | undefined { return this.holding.block; }
}

const finalizers = new FinalizationRegistry<Holding>(({ release, block }) => { if (block) release(block); });
const mostIdle = 256;

/** Owners whose block was taken from them serve again: to register an object for finalization costs more than to run a small program. */
export class Owners {
  private readonly idle: Owner[] = [];

  constructor(private readonly release: (block: Block) => void) {}

  own(block: Block): Owner {
    const known = this.idle.pop();
    if (known) {
      known.holding.block = block;
      return known;
    }
    const owner = new Owner({ release: this.release, block });
    finalizers.register(owner, owner.holding);
    return owner;
  }

  /** The block, which is the caller's from now on; the caller forgets the owner. */
  disown(owner: Owner): Block | undefined {
    const { block } = owner.holding;
    owner.holding.block = undefined;
    if (block && this.idle.length < mostIdle) this.idle.push(owner);
    return block;
  }
}
