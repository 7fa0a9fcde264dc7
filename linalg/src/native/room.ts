/** Where the parts of a routine's scratch room begin, in elements of double precision: one behind the other, each at an even place. */
export function layOut<Part extends string>(sizes: Readonly<Record<Part, number>>): { readonly starts: Readonly<Record<Part, number>>; readonly total: number } {
  let total = 0;
  const starts = Object.fromEntries(
    (Object.entries(sizes) as [Part, number][]).map(([name, size]) => {
      const start = total;
      total += size + (size & 1);
      return [name, start];
    }),
  ) as Record<Part, number>;
  return { starts, total };
}
