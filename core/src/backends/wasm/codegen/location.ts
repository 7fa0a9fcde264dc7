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
