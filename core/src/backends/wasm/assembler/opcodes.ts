/**
 * Opcodes of WebAssembly with SIMD, saturating conversions, bulk memory and relaxed SIMD, by their names in the text format.
 * A prefixed opcode is `prefix << 16 | sub`. Source: WebAssembly Core Specification, appendix "Index of Instructions".
 */

const FC = 0xfc0000;
const FD = 0xfd0000;

/** Instructions without immediates. */
export const plainOps = {
  "unreachable": 0x00, "nop": 0x01, "return": 0x0f, "drop": 0x1a, "select": 0x1b,
  "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a, "i32.gt_u": 0x4b, "i32.le_s": 0x4c, "i32.le_u": 0x4d, "i32.ge_s": 0x4e, "i32.ge_u": 0x4f,
  "i64.eqz": 0x50, "i64.eq": 0x51, "i64.ne": 0x52, "i64.lt_s": 0x53, "i64.lt_u": 0x54, "i64.gt_s": 0x55, "i64.gt_u": 0x56, "i64.le_s": 0x57, "i64.le_u": 0x58, "i64.ge_s": 0x59, "i64.ge_u": 0x5a,
  "f32.eq": 0x5b, "f32.ne": 0x5c, "f32.lt": 0x5d, "f32.gt": 0x5e, "f32.le": 0x5f, "f32.ge": 0x60,
  "f64.eq": 0x61, "f64.ne": 0x62, "f64.lt": 0x63, "f64.gt": 0x64, "f64.le": 0x65, "f64.ge": 0x66,
  "i32.clz": 0x67, "i32.ctz": 0x68, "i32.popcnt": 0x69, "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.div_s": 0x6d, "i32.div_u": 0x6e, "i32.rem_s": 0x6f, "i32.rem_u": 0x70,
  "i32.and": 0x71, "i32.or": 0x72, "i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_s": 0x75, "i32.shr_u": 0x76, "i32.rotl": 0x77, "i32.rotr": 0x78,
  "i64.clz": 0x79, "i64.ctz": 0x7a, "i64.popcnt": 0x7b, "i64.add": 0x7c, "i64.sub": 0x7d, "i64.mul": 0x7e, "i64.div_s": 0x7f, "i64.div_u": 0x80, "i64.rem_s": 0x81, "i64.rem_u": 0x82,
  "i64.and": 0x83, "i64.or": 0x84, "i64.xor": 0x85, "i64.shl": 0x86, "i64.shr_s": 0x87, "i64.shr_u": 0x88, "i64.rotl": 0x89, "i64.rotr": 0x8a,
  "f32.abs": 0x8b, "f32.neg": 0x8c, "f32.ceil": 0x8d, "f32.floor": 0x8e, "f32.trunc": 0x8f, "f32.nearest": 0x90, "f32.sqrt": 0x91,
  "f32.add": 0x92, "f32.sub": 0x93, "f32.mul": 0x94, "f32.div": 0x95, "f32.min": 0x96, "f32.max": 0x97, "f32.copysign": 0x98,
  "f64.abs": 0x99, "f64.neg": 0x9a, "f64.ceil": 0x9b, "f64.floor": 0x9c, "f64.trunc": 0x9d, "f64.nearest": 0x9e, "f64.sqrt": 0x9f,
  "f64.add": 0xa0, "f64.sub": 0xa1, "f64.mul": 0xa2, "f64.div": 0xa3, "f64.min": 0xa4, "f64.max": 0xa5, "f64.copysign": 0xa6,
  "i32.wrap_i64": 0xa7, "i32.trunc_f32_s": 0xa8, "i32.trunc_f32_u": 0xa9, "i32.trunc_f64_s": 0xaa, "i32.trunc_f64_u": 0xab, "i64.extend_i32_s": 0xac, "i64.extend_i32_u": 0xad,
  "i64.trunc_f32_s": 0xae, "i64.trunc_f32_u": 0xaf, "i64.trunc_f64_s": 0xb0, "i64.trunc_f64_u": 0xb1,
  "f32.convert_i32_s": 0xb2, "f32.convert_i32_u": 0xb3, "f32.convert_i64_s": 0xb4, "f32.convert_i64_u": 0xb5, "f32.demote_f64": 0xb6,
  "f64.convert_i32_s": 0xb7, "f64.convert_i32_u": 0xb8, "f64.convert_i64_s": 0xb9, "f64.convert_i64_u": 0xba, "f64.promote_f32": 0xbb,
  "i32.reinterpret_f32": 0xbc, "i64.reinterpret_f64": 0xbd, "f32.reinterpret_i32": 0xbe, "f64.reinterpret_i64": 0xbf,
  "i32.extend8_s": 0xc0, "i32.extend16_s": 0xc1, "i64.extend8_s": 0xc2, "i64.extend16_s": 0xc3, "i64.extend32_s": 0xc4,
  "i32.trunc_sat_f32_s": FC | 0, "i32.trunc_sat_f32_u": FC | 1, "i32.trunc_sat_f64_s": FC | 2, "i32.trunc_sat_f64_u": FC | 3,
  "i64.trunc_sat_f32_s": FC | 4, "i64.trunc_sat_f32_u": FC | 5, "i64.trunc_sat_f64_s": FC | 6, "i64.trunc_sat_f64_u": FC | 7,
  "i8x16.swizzle": FD | 14, "i8x16.splat": FD | 15, "i16x8.splat": FD | 16, "i32x4.splat": FD | 17, "i64x2.splat": FD | 18, "f32x4.splat": FD | 19, "f64x2.splat": FD | 20,
  "i8x16.eq": FD | 35, "i8x16.ne": FD | 36, "i8x16.lt_s": FD | 37, "i8x16.lt_u": FD | 38, "i8x16.gt_s": FD | 39, "i8x16.gt_u": FD | 40, "i8x16.le_s": FD | 41, "i8x16.le_u": FD | 42, "i8x16.ge_s": FD | 43, "i8x16.ge_u": FD | 44,
  "i16x8.eq": FD | 45, "i16x8.ne": FD | 46, "i16x8.lt_s": FD | 47, "i16x8.lt_u": FD | 48, "i16x8.gt_s": FD | 49, "i16x8.gt_u": FD | 50, "i16x8.le_s": FD | 51, "i16x8.le_u": FD | 52, "i16x8.ge_s": FD | 53, "i16x8.ge_u": FD | 54,
  "i32x4.eq": FD | 55, "i32x4.ne": FD | 56, "i32x4.lt_s": FD | 57, "i32x4.lt_u": FD | 58, "i32x4.gt_s": FD | 59, "i32x4.gt_u": FD | 60, "i32x4.le_s": FD | 61, "i32x4.le_u": FD | 62, "i32x4.ge_s": FD | 63, "i32x4.ge_u": FD | 64,
  "f32x4.eq": FD | 65, "f32x4.ne": FD | 66, "f32x4.lt": FD | 67, "f32x4.gt": FD | 68, "f32x4.le": FD | 69, "f32x4.ge": FD | 70,
  "f64x2.eq": FD | 71, "f64x2.ne": FD | 72, "f64x2.lt": FD | 73, "f64x2.gt": FD | 74, "f64x2.le": FD | 75, "f64x2.ge": FD | 76,
  "v128.not": FD | 77, "v128.and": FD | 78, "v128.andnot": FD | 79, "v128.or": FD | 80, "v128.xor": FD | 81, "v128.bitselect": FD | 82, "v128.any_true": FD | 83,
  "f32x4.demote_f64x2_zero": FD | 94, "f64x2.promote_low_f32x4": FD | 95,
  "i8x16.abs": FD | 96, "i8x16.neg": FD | 97, "i8x16.popcnt": FD | 98, "i8x16.all_true": FD | 99, "i8x16.bitmask": FD | 100, "i8x16.narrow_i16x8_s": FD | 101, "i8x16.narrow_i16x8_u": FD | 102,
  "f32x4.ceil": FD | 103, "f32x4.floor": FD | 104, "f32x4.trunc": FD | 105, "f32x4.nearest": FD | 106,
  "i8x16.shl": FD | 107, "i8x16.shr_s": FD | 108, "i8x16.shr_u": FD | 109, "i8x16.add": FD | 110, "i8x16.sub": FD | 113,
  "f64x2.ceil": FD | 116, "f64x2.floor": FD | 117, "i8x16.min_s": FD | 118, "i8x16.min_u": FD | 119, "i8x16.max_s": FD | 120, "i8x16.max_u": FD | 121, "f64x2.trunc": FD | 122,
  "i16x8.abs": FD | 128, "i16x8.neg": FD | 129, "i16x8.all_true": FD | 131, "i16x8.bitmask": FD | 132, "i16x8.narrow_i32x4_s": FD | 133, "i16x8.narrow_i32x4_u": FD | 134,
  "i16x8.extend_low_i8x16_s": FD | 135, "i16x8.extend_high_i8x16_s": FD | 136, "i16x8.extend_low_i8x16_u": FD | 137, "i16x8.extend_high_i8x16_u": FD | 138,
  "i16x8.shl": FD | 139, "i16x8.shr_s": FD | 140, "i16x8.shr_u": FD | 141, "i16x8.add": FD | 142, "i16x8.sub": FD | 145, "f64x2.nearest": FD | 148, "i16x8.mul": FD | 149,
  "i32x4.abs": FD | 160, "i32x4.neg": FD | 161, "i32x4.all_true": FD | 163, "i32x4.bitmask": FD | 164,
  "i32x4.extend_low_i16x8_s": FD | 167, "i32x4.extend_high_i16x8_s": FD | 168, "i32x4.extend_low_i16x8_u": FD | 169, "i32x4.extend_high_i16x8_u": FD | 170,
  "i32x4.shl": FD | 171, "i32x4.shr_s": FD | 172, "i32x4.shr_u": FD | 173, "i32x4.add": FD | 174, "i32x4.sub": FD | 177, "i32x4.mul": FD | 181,
  "i32x4.min_s": FD | 182, "i32x4.min_u": FD | 183, "i32x4.max_s": FD | 184, "i32x4.max_u": FD | 185, "i32x4.dot_i16x8_s": FD | 186,
  "i64x2.abs": FD | 192, "i64x2.neg": FD | 193, "i64x2.all_true": FD | 195, "i64x2.bitmask": FD | 196,
  "i64x2.extend_low_i32x4_s": FD | 199, "i64x2.extend_high_i32x4_s": FD | 200, "i64x2.extend_low_i32x4_u": FD | 201, "i64x2.extend_high_i32x4_u": FD | 202,
  "i64x2.shl": FD | 203, "i64x2.shr_s": FD | 204, "i64x2.shr_u": FD | 205, "i64x2.add": FD | 206, "i64x2.sub": FD | 209, "i64x2.mul": FD | 213,
  "i64x2.eq": FD | 214, "i64x2.ne": FD | 215, "i64x2.lt_s": FD | 216, "i64x2.gt_s": FD | 217, "i64x2.le_s": FD | 218, "i64x2.ge_s": FD | 219,
  "i64x2.extmul_low_i32x4_s": FD | 220, "i64x2.extmul_high_i32x4_s": FD | 221, "i64x2.extmul_low_i32x4_u": FD | 222, "i64x2.extmul_high_i32x4_u": FD | 223,
  "f32x4.abs": FD | 224, "f32x4.neg": FD | 225, "f32x4.sqrt": FD | 227, "f32x4.add": FD | 228, "f32x4.sub": FD | 229, "f32x4.mul": FD | 230, "f32x4.div": FD | 231,
  "f32x4.min": FD | 232, "f32x4.max": FD | 233, "f32x4.pmin": FD | 234, "f32x4.pmax": FD | 235,
  "f64x2.abs": FD | 236, "f64x2.neg": FD | 237, "f64x2.sqrt": FD | 239, "f64x2.add": FD | 240, "f64x2.sub": FD | 241, "f64x2.mul": FD | 242, "f64x2.div": FD | 243,
  "f64x2.min": FD | 244, "f64x2.max": FD | 245, "f64x2.pmin": FD | 246, "f64x2.pmax": FD | 247,
  "i32x4.trunc_sat_f32x4_s": FD | 248, "i32x4.trunc_sat_f32x4_u": FD | 249, "f32x4.convert_i32x4_s": FD | 250, "f32x4.convert_i32x4_u": FD | 251,
  "i32x4.trunc_sat_f64x2_s_zero": FD | 252, "i32x4.trunc_sat_f64x2_u_zero": FD | 253, "f64x2.convert_low_i32x4_s": FD | 254, "f64x2.convert_low_i32x4_u": FD | 255,
  "i8x16.relaxed_swizzle": FD | 0x100, "i32x4.relaxed_trunc_f32x4_s": FD | 0x101, "i32x4.relaxed_trunc_f32x4_u": FD | 0x102,
  "f32x4.relaxed_madd": FD | 0x105, "f32x4.relaxed_nmadd": FD | 0x106, "f64x2.relaxed_madd": FD | 0x107, "f64x2.relaxed_nmadd": FD | 0x108,
  "i32x4.relaxed_laneselect": FD | 0x10b, "i64x2.relaxed_laneselect": FD | 0x10c,
  "f32x4.relaxed_min": FD | 0x10d, "f32x4.relaxed_max": FD | 0x10e, "f64x2.relaxed_min": FD | 0x10f, "f64x2.relaxed_max": FD | 0x110,
} as const;

/** Loads and stores: immediates are alignment and offset. */
export const memoryOps = {
  "i32.load": 0x28, "i64.load": 0x29, "f32.load": 0x2a, "f64.load": 0x2b, "i32.load8_s": 0x2c, "i32.load8_u": 0x2d, "i32.load16_s": 0x2e, "i32.load16_u": 0x2f,
  "i64.load8_s": 0x30, "i64.load8_u": 0x31, "i64.load16_s": 0x32, "i64.load16_u": 0x33, "i64.load32_s": 0x34, "i64.load32_u": 0x35,
  "i32.store": 0x36, "i64.store": 0x37, "f32.store": 0x38, "f64.store": 0x39, "i32.store8": 0x3a, "i32.store16": 0x3b, "i64.store8": 0x3c, "i64.store16": 0x3d, "i64.store32": 0x3e,
  "v128.load": FD | 0, "v128.load8x8_s": FD | 1, "v128.load8x8_u": FD | 2, "v128.load16x4_s": FD | 3, "v128.load16x4_u": FD | 4, "v128.load32x2_s": FD | 5, "v128.load32x2_u": FD | 6,
  "v128.load8_splat": FD | 7, "v128.load16_splat": FD | 8, "v128.load32_splat": FD | 9, "v128.load64_splat": FD | 10, "v128.store": FD | 11,
  "v128.load32_zero": FD | 92, "v128.load64_zero": FD | 93,
} as const;

/** Loads and stores of one lane: alignment, offset, lane. */
export const memoryLaneOps = {
  "v128.load8_lane": FD | 84, "v128.load16_lane": FD | 85, "v128.load32_lane": FD | 86, "v128.load64_lane": FD | 87,
  "v128.store8_lane": FD | 88, "v128.store16_lane": FD | 89, "v128.store32_lane": FD | 90, "v128.store64_lane": FD | 91,
} as const;

/** Lane access: the immediate is the lane. */
export const laneOps = {
  "i8x16.extract_lane_s": FD | 21, "i8x16.extract_lane_u": FD | 22, "i8x16.replace_lane": FD | 23, "i16x8.extract_lane_s": FD | 24, "i16x8.extract_lane_u": FD | 25, "i16x8.replace_lane": FD | 26,
  "i32x4.extract_lane": FD | 27, "i32x4.replace_lane": FD | 28, "i64x2.extract_lane": FD | 29, "i64x2.replace_lane": FD | 30,
  "f32x4.extract_lane": FD | 31, "f32x4.replace_lane": FD | 32, "f64x2.extract_lane": FD | 33, "f64x2.replace_lane": FD | 34,
} as const;

/** Instructions whose immediates the function builder writes itself. */
export const structuralOps = {
  "block": 0x02, "loop": 0x03, "if": 0x04, "else": 0x05, "end": 0x0b, "br": 0x0c, "br_if": 0x0d, "br_table": 0x0e, "call": 0x10,
  "local.get": 0x20, "local.set": 0x21, "local.tee": 0x22, "global.get": 0x23, "global.set": 0x24, "memory.size": 0x3f, "memory.grow": 0x40,
  "i32.const": 0x41, "i64.const": 0x42, "f32.const": 0x43, "f64.const": 0x44, "memory.copy": FC | 10, "memory.fill": FC | 11,
  "v128.const": FD | 12, "i8x16.shuffle": FD | 13,
} as const;

export type PlainOp = keyof typeof plainOps;
export type MemoryOp = keyof typeof memoryOps;
export type MemoryLaneOp = keyof typeof memoryLaneOps;
export type LaneOp = keyof typeof laneOps;

/** Natural alignment of an access, as a power of two: the hint that costs nothing when it is wrong. */
export function accessBytes(op: MemoryOp | MemoryLaneOp): number {
  const narrow = /(?:load|store)(8|16|32|64)(x\d)?/.exec(op);
  if (narrow) return (Number(narrow[1]) / 8) * (narrow[2] ? Number(narrow[2].slice(1)) : 1);
  if (op.startsWith("v128")) return 16;
  return op[1] === "6" ? 8 : 4;
}
