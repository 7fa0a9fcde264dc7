import { itemsize } from "../../../base/dtype.js";
import type { BufferId } from "../../../kernel/expr.js";
import type { Schedule, Step } from "../../../kernel/schedule.js";
import { roundUp } from "../memory/allocator.js";
import { smallBytes } from "../memory/storage.js";
import type { BufferLocation } from "./location.js";

/** An input or output of a program, as the run path sees it. */
export interface Port {
  readonly buffer: BufferId;
  readonly size: number;
  readonly bytes: number;
  /** Small arrays are staged at this offset of the frame; of large ones their address is put there. */
  readonly offset: number;
  readonly staged: boolean;
}

export interface Layout {
  readonly locations: readonly (BufferLocation | undefined)[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly frameBytes: number;
  /** Offsets of constants in a block of their own. */
  readonly constantBytes: number;
}

/** Buffers that steps write. */
export function writtenBuffers(steps: readonly Step[], used = new Set<BufferId>()): Set<BufferId> {
  for (const s of steps) {
    switch (s.kind) {
      case "kernel": [...s.kernel.outputs, ...(s.kernel.stores ?? [])].forEach((o) => used.add(o.buffer)); break;
      case "routine": s.outputs.forEach((o) => used.add(o.buffer)); break;
      case "copy": used.add(s.to); break;
      case "for":
        used.add(s.counter);
        writtenBuffers(s.body, used);
        break;
      case "while":
        used.add(s.predicate);
        writtenBuffers(s.condition, used);
        writtenBuffers(s.body, used);
        break;
      case "branch": s.branches.forEach((b) => writtenBuffers(b, used)); break;
    }
  }
  return used;
}

/** Gives every buffer a place: pointers first, then staged arrays, then the arena of temporaries, all in one frame. */
export function planLayout(schedule: Schedule, constantsAt: (bytes: number) => number): Layout {
  const { buffers, inputs, outputs, constants, arena, steps } = schedule;
  const locations = new Array<BufferLocation | undefined>(buffers.length).fill(undefined);
  const bytesOf = (id: BufferId): number => buffers[id]!.size * itemsize(buffers[id]!.dtype);
  let end = 0;
  const take = (bytes: number, to: number): number => {
    const at = roundUp(end, to);
    end = at + bytes;
    return at;
  };
  const ports = [...inputs, ...outputs];
  const large = ports.filter((id) => bytesOf(id) > smallBytes);
  const slots = new Map(large.map((id) => [id, take(4, 4)]));
  const port = (buffer: BufferId): Port => {
    const bytes = bytesOf(buffer);
    const slot = slots.get(buffer);
    // Tiny arrays lie densely: a program of scalars touches few cache lines.
    const offset = slot ?? take(bytes, bytes <= 64 ? 16 : 64);
    locations[buffer] = slot === undefined ? { kind: "frame", offset } : { kind: "slot", offset };
    return { buffer, size: buffers[buffer]!.size, bytes, offset, staged: slot === undefined };
  };
  const inputPorts = inputs.map(port);
  const outputPorts = outputs.map(port);

  let constantBytes = 0;
  const constantOffsets = constants.map(({ buffer }) => {
    const at = constantBytes;
    constantBytes = roundUp(at + bytesOf(buffer));
    return at;
  });
  if (constantBytes > 0) {
    const base = constantsAt(constantBytes);
    constants.forEach(({ buffer }, i) => { locations[buffer] = { kind: "absolute", address: base + constantOffsets[i]! }; });
  }

  const arenaAt = take(arena.bytes, 64);
  for (const [buffer, offset] of arena.offsets) locations[buffer] ??= { kind: "frame", offset: arenaAt + offset };
  // Written but not planned: give it room of its own rather than a wrong address.
  for (const id of writtenBuffers(steps)) locations[id] ??= { kind: "frame", offset: take(bytesOf(id), 64) };
  return { locations, inputs: inputPorts, outputs: outputPorts, frameBytes: roundUp(Math.max(end, 64)), constantBytes };
}
