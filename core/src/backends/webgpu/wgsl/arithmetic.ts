/**
 * WGSL for arithmetic that the language lacks or leaves open: NaN and infinities (WGSL lets a compiler assume that there are none, so they are
 * made and recognised by their bits), saturating casts, integer division, shifts past the width, exact `rem`, powers of integers.
 */
export const arithmetic = {
  // A value the compiler cannot see through: a constant expression that is not finite would be refused.
  h_nan_bits: `var<private> h_nan_bits: u32 = 0x7fc00000u;`,
  h_inf_bits: `var<private> h_inf_bits: u32 = 0x7f800000u;`,
  h_nan: `fn h_nan() -> f32 { return bitcast<f32>(h_nan_bits); }`,
  h_inf: `fn h_inf() -> f32 { return bitcast<f32>(h_inf_bits); }`,
  h_isnan: `fn h_isnan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`,
  h_isfinite: `fn h_isfinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`,
  h_copysign: `fn h_copysign(x: f32, s: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(s) & 0x80000000u)); }`,
  h_sign: `fn h_sign(x: f32) -> f32 { return select(select(select(-1.0, 1.0, x > 0.0), x, x == 0.0), x, h_isnan(x)); }`,
  // NaN wins, and of two zeros the positive (negative) one.
  h_zeros: `fn h_zeros(a: f32, b: f32) -> bool { return ((bitcast<u32>(a) | bitcast<u32>(b)) << 1u) == 0u; }`,
  h_max: `fn h_max(a: f32, b: f32) -> f32 {
  let m = select(select(b, a, a > b), bitcast<f32>(bitcast<u32>(a) & bitcast<u32>(b)), h_zeros(a, b));
  return select(select(m, b, h_isnan(b)), a, h_isnan(a));
}`,
  h_min: `fn h_min(a: f32, b: f32) -> f32 {
  let m = select(select(b, a, a < b), bitcast<f32>(bitcast<u32>(a) | bitcast<u32>(b)), h_zeros(a, b));
  return select(select(m, b, h_isnan(b)), a, h_isnan(a));
}`,
  h_f2i: `fn h_f2i(x: f32) -> i32 {
  if (h_isnan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x < -2147483648.0) { return i32(-2147483648); }
  return i32(x);
}`,
  h_f2u: `fn h_f2u(x: f32) -> u32 {
  if (h_isnan(x) || x <= 0.0) { return 0u; }
  if (x >= 4294967296.0) { return 0xffffffffu; }
  return u32(x);
}`,
  // x / 0 = 0 and x rem 0 = x, as in every backend.
  h_idiv: `fn h_idiv(a: i32, b: i32) -> i32 { return select(a / select(b, 1, b == 0), 0, b == 0); }`,
  h_irem: `fn h_irem(a: i32, b: i32) -> i32 { return select(a % select(b, 1, b == 0), a, b == 0); }`,
  h_udiv: `fn h_udiv(a: u32, b: u32) -> u32 { return select(a / select(b, 1u, b == 0u), 0u, b == 0u); }`,
  h_urem: `fn h_urem(a: u32, b: u32) -> u32 { return select(a % select(b, 1u, b == 0u), a, b == 0u); }`,
  h_shl: `fn h_shl(a: u32, n: u32) -> u32 { return select(0u, a << (n & 31u), n < 32u); }`,
  h_shr: `fn h_shr(a: u32, n: u32) -> u32 { return select(0u, a >> (n & 31u), n < 32u); }`,
  h_sar: `fn h_sar(a: i32, n: u32) -> i32 { return a >> min(n, 31u); }`,
  h_upow: `fn h_upow(a: u32, n: u32) -> u32 {
  var result = 1u;
  var base = a;
  for (var k = n; k > 0u; k = k >> 1u) {
    if ((k & 1u) == 1u) { result = result * base; }
    base = base * base;
  }
  return result;
}`,
  h_ipow: `fn h_ipow(a: i32, n: i32) -> i32 {
  if (n < 0) {
    if (a == 1) { return 1; }
    if (a == -1) { return select(1, -1, (n & 1) == 1); }
    return 0;
  }
  return bitcast<i32>(h_upow(bitcast<u32>(a), u32(n)));
}`,
  // Long division of the significands, one bit a step: exact for any quotient.
  h_rem: `fn h_rem(x: f32, y: f32) -> f32 {
  let sign = bitcast<u32>(x) & 0x80000000u;
  let ux = bitcast<u32>(x) & 0x7fffffffu;
  let uy = bitcast<u32>(y) & 0x7fffffffu;
  if (ux >= 0x7f800000u || uy > 0x7f800000u || uy == 0u) { return h_nan(); }
  if (ux < uy) { return x; }
  var ex = i32(ux >> 23u);
  var mx = (ux & 0x7fffffu) | 0x800000u;
  if (ex == 0) { let s = i32(countLeadingZeros(ux)) - 8; mx = ux << u32(s); ex = 1 - s; }
  var ey = i32(uy >> 23u);
  var my = (uy & 0x7fffffu) | 0x800000u;
  if (ey == 0) { let s = i32(countLeadingZeros(uy)) - 8; my = uy << u32(s); ey = 1 - s; }
  for (; ex > ey; ex--) {
    if (mx >= my) { mx = mx - my; }
    mx = mx << 1u;
  }
  if (mx >= my) { mx = mx - my; }
  if (mx == 0u) { return bitcast<f32>(sign); }
  let s = i32(countLeadingZeros(mx)) - 8;
  mx = mx << u32(s);
  ex = ex - s;
  if (ex > 0) { return bitcast<f32>(sign | (u32(ex) << 23u) | (mx & 0x7fffffu)); }
  return bitcast<f32>(sign | (mx >> u32(1 - ex)));
}`,
  // Order-preserving bits for argmax and argmin: NaN above all, both zeros equal.
  h_key_max: `fn h_key_max(x: f32) -> u32 {
  let u = bitcast<u32>(x);
  if ((u << 1u) == 0u) { return 0x80000000u; }
  return select(select(u | 0x80000000u, ~u, (u >> 31u) == 1u), 0xffffffffu, h_isnan(x));
}`,
  h_key_min: `fn h_key_min(x: f32) -> u32 { return select(~h_key_max(x), 0xffffffffu, h_isnan(x)); }`,
  h_nextafter: `fn h_nextafter(a: f32, b: f32) -> f32 {
  if (h_isnan(a) || h_isnan(b)) { return h_nan(); }
  let ua = bitcast<u32>(a);
  let ub = bitcast<u32>(b);
  // Order of the bits as integers, so that subnormals are seen where comparisons flush them.
  let ka = select(i32(ua & 0x7fffffffu), -i32(ua & 0x7fffffffu), (ua >> 31u) == 1u);
  let kb = select(i32(ub & 0x7fffffffu), -i32(ub & 0x7fffffffu), (ub >> 31u) == 1u);
  if (ka == kb) { return b; }
  if (ka == 0) { return bitcast<f32>((ub & 0x80000000u) | 1u); }
  return bitcast<f32>(select(ua - 1u, ua + 1u, (kb > ka) == (ka > 0)));
}`,
  // Seed from the exponent divided by three, then Halley's iteration. Powers of 2^3 keep the cubes in range; subnormals go by their bits.
  h_cbrt: `fn h_cbrt(x: f32) -> f32 {
  let u = bitcast<u32>(x) & 0x7fffffffu;
  if (u == 0u || u >= 0x7f800000u) { return x; }
  var v = bitcast<f32>(u);
  var scale = 1.0;
  if (u < 0x00800000u) { v = 2.0 * f32(u); scale = 8.8817841970012523e-16; }
  else if (u < 0x10000000u) { v = v * 2.81474976710656e14; scale = 1.52587890625e-5; }
  else if (u > 0x7e000000u) { v = v * 0.015625; scale = 4.0; }
  var t = bitcast<f32>(bitcast<u32>(v) / 3u + 709958130u);
  for (var i = 0; i < 3; i++) {
    let r = t * t * t;
    t = t + t * ((v - r) / (r + r + v));
  }
  return h_copysign(t * scale, x);
}`,
};
