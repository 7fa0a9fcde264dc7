/** Peers are installed on demand, so their types may be absent: what comes from them is unchecked. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
export type Untyped = any;

/** Imports a package that the workspace does not know of. */
export const importPeer = (name: string): Promise<Untyped> => import(name) as Promise<Untyped>;
