import type { FunctionBuilder } from "../assembler/index.js";

/** Where a buffer of a Schedule lies when the program runs. */
export type BufferLocation =
  /** At this offset from the frame: temporaries and staged arrays. */
  | { readonly kind: "frame"; readonly offset: number }
  /** Wherever the pointer at this offset of the frame says: arrays in the heap. */
  | { readonly kind: "slot"; readonly offset: number }
  /** At the address that this local of the function holds. */
  | { readonly kind: "local"; readonly local: number }
  /** At an address known when the program is compiled: constants. */
  | { readonly kind: "absolute"; readonly address: number };

/** Pushes the address at which a buffer begins; parameter 0 of the function is the frame. */
export function pushPlace(f: FunctionBuilder, place: BufferLocation): void {
  if (place.kind === "absolute") f.i32(place.address);
  else if (place.kind === "local") f.get(place.local);
  else if (place.kind === "slot") f.get(0).memory("i32.load", place.offset);
  else {
    f.get(0);
    if (place.offset !== 0) f.i32(place.offset).op("i32.add");
  }
}
