/**
 * WGSL for circular functions and their inverses in float32. Argument reduction takes pi/2 off in four parts (Cody and Waite 1980), and above 512
 * multiplies by 224 bits of 2/pi in integers (Payne and Hanek 1983), so that every finite argument is right. Polynomials: Moshier's
 * Cephes (1992); the arctangent: Sun's fdlibm (1993).
 */
export const trigonometric = {
  h_mulhi: `fn h_mulhi(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let m = ah * bl + ((al * bl) >> 16u);
  let n = al * bh + (m & 0xffffu);
  return ah * bh + (m >> 16u) + (n >> 16u);
}`,
  // Bits of 1/(2 pi).
  h_two_over_pi: `fn h_two_over_pi(i: u32) -> u32 {
  switch (i) {
    case 0u: { return 0x28be60dbu; }
    case 1u: { return 0x9391054au; }
    case 2u: { return 0x7f09d5f4u; }
    case 3u: { return 0x7d4d3770u; }
    case 4u: { return 0x36d8a566u; }
    case 5u: { return 0x4f10e410u; }
    default: { return 0x7f9458eau; }
  }
}`,
  // x = r + q pi/2 with |r| <= pi/4 or a little more; the quadrant q modulo 4.
  h_Reduced: `struct h_Reduced { r: f32, q: i32 }`,
  h_reduce: `fn h_reduce(x: f32) -> h_Reduced {
  if (abs(x) < 512.0) {
    let k = round(x * 0.636619772);
    return h_Reduced((((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549533620476723e-8) - k * 2.5633442e-12, i32(k) & 3);
  }
  let u = bitcast<u32>(x);
  let e = i32((u >> 23u) & 0xffu) - 126;
  let ia = ((u & 0x7fffffu) << 8u) | 0x80000000u;
  let i = u32(e >> 5u);
  let s = u32(e & 31);
  var hi = 0u;
  if (i > 0u) { hi = h_two_over_pi(i - 1u); }
  var mid = h_two_over_pi(i);
  var lo = h_two_over_pi(i + 1u);
  if (s > 0u) {
    hi = (hi << s) | (mid >> (32u - s));
    mid = (mid << s) | (lo >> (32u - s));
    lo = (lo << s) | (h_two_over_pi(i + 2u) >> (32u - s));
  }
  let carry = h_mulhi(ia, lo);
  var pl = ia * mid + carry;
  var ph = h_mulhi(ia, mid) + select(0u, 1u, pl < carry) + ia * hi;
  var q = i32(ph >> 30u);
  ph = ph & 0x3fffffffu;
  var sign = 1.0;
  if ((ph & 0x20000000u) != 0u) {
    q = q + 1;
    sign = -1.0;
    ph = ~(ph | 0xc0000000u);
    pl = ~pl + 1u;
    if (pl == 0u) { ph = ph + 1u; }
  }
  let r = sign * (f32(ph) * 9.3132257461547852e-10 + f32(pl) * 2.1684043449710089e-19) * 1.57079633;
  return h_Reduced(select(r, -r, x < 0.0), select(q, -q, x < 0.0) & 3);
}`,
  h_sin_core: `fn h_sin_core(r: f32) -> f32 { let z = r * r; return r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4)); }`,
  h_cos_core: `fn h_cos_core(r: f32) -> f32 { let z = r * r; return 1.0 - (0.5 * z - z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5))); }`,
  h_sin: `fn h_sin(x: f32) -> f32 {
  if (!h_isfinite(x)) { return h_nan(); }
  if (abs(x) < 2.4e-4) { return x; }
  let a = h_reduce(x);
  let v = select(h_sin_core(a.r), h_cos_core(a.r), (a.q & 1) == 1);
  return select(v, -v, (a.q & 2) == 2);
}`,
  h_cos: `fn h_cos(x: f32) -> f32 {
  if (!h_isfinite(x)) { return h_nan(); }
  let a = h_reduce(x);
  let v = select(h_cos_core(a.r), h_sin_core(a.r), (a.q & 1) == 1);
  return select(v, -v, ((a.q + 1) & 2) == 2);
}`,
  h_tan_core: `fn h_tan_core(r: f32) -> f32 {
  let z = r * r;
  return r + r * z * (3.33331568548e-1 + z * (1.33387994085e-1 + z * (5.34112807005e-2 + z * (2.44301354525e-2 + z * (3.11992232697e-3 + z * 9.38540185543e-3)))));
}`,
  h_tan: `fn h_tan(x: f32) -> f32 {
  if (!h_isfinite(x)) { return h_nan(); }
  if (abs(x) < 2.4e-4) { return x; }
  let a = h_reduce(x);
  let t = h_tan_core(a.r);
  if ((a.q & 1) == 1) { return -1.0 / t; }
  return t;
}`,
  // asin for 0 <= a <= 1/2.
  h_asin_core: `fn h_asin_core(a: f32) -> f32 {
  let z = a * a;
  return a + a * z * (1.6666752422e-1 + z * (7.4953002686e-2 + z * (4.5470025998e-2 + z * (2.4181311049e-2 + z * 4.2163199048e-2))));
}`,
  h_asin: `fn h_asin(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x) || a > 1.0) { return h_nan(); }
  if (a < 2.4e-4) { return x; }
  if (a <= 0.5) { return h_asin_core(x); }
  return h_copysign(1.57079637 - (2.0 * h_asin_core(sqrt(0.5 * (1.0 - a))) + 4.3711388e-8), x);
}`,
  h_acos: `fn h_acos(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x) || a > 1.0) { return h_nan(); }
  if (a <= 0.5) { return 1.57079637 - (h_asin_core(x) + 4.3711388e-8); }
  let t = 2.0 * h_asin_core(sqrt(0.5 * (1.0 - a)));
  return select(3.14159274 - (t + 8.7422777e-8), t, x > 0.0);
}`,
  h_atan: `fn h_atan(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x) || a < 2.4e-4) { return x; }
  var t = a;
  var hi = 0.0;
  var lo = 0.0;
  if (a >= 2.4375) { t = select(-1.0 / a, 0.0, a > 6.7e7); hi = 1.5707962513; lo = 7.5497894159e-8; }
  else if (a >= 1.1875) { t = (a - 1.5) / (1.0 + 1.5 * a); hi = 9.8279368877e-1; lo = 3.4473217170e-8; }
  else if (a >= 0.6875) { t = (a - 1.0) / (a + 1.0); hi = 7.8539812565e-1; lo = 3.7748947079e-8; }
  else if (a >= 0.4375) { t = (2.0 * a - 1.0) / (2.0 + a); hi = 4.6364760399e-1; lo = 5.0121582440e-9; }
  let z = t * t;
  let w = z * z;
  let s = z * (3.3333328366e-1 + w * (1.4253635705e-1 + w * 6.1687607318e-2)) - w * (1.9999158382e-1 + w * 1.0648017377e-1);
  return h_copysign(hi - ((t * s - lo) - t), x);
}`,
  h_atan2: `fn h_atan2(y: f32, x: f32) -> f32 {
  if (h_isnan(x) || h_isnan(y)) { return h_nan(); }
  let ux = bitcast<u32>(x) & 0x7fffffffu;
  let uy = bitcast<u32>(y) & 0x7fffffffu;
  let left = (bitcast<u32>(x) >> 31u) == 1u;
  if (uy == 0u) { return h_copysign(select(0.0, 3.14159274, left), y); }
  if (ux == 0u) { return h_copysign(1.57079637, y); }
  if (ux == 0x7f800000u) {
    let d = select(0.0, 3.14159274, left);
    return h_copysign(select(d, select(0.785398164, 2.35619449, left), uy == 0x7f800000u), y);
  }
  // The quotient would leave the range of f32, or round to nothing.
  if (uy == 0x7f800000u || (uy >> 23u) > (ux >> 23u) + 26u) { return h_copysign(1.57079637, y); }
  if (left && (ux >> 23u) > (uy >> 23u) + 26u) { return h_copysign(3.14159274, y); }
  // Both near one, so that neither reciprocals nor subnormals get in the way.
  var a = abs(y);
  var b = abs(x);
  if (max(ux, uy) > 0x7e000000u) { a = a * 0.0625; b = b * 0.0625; }
  let t = h_atan(a / b);
  return h_copysign(select(t, 3.14159274 - (t + 8.7422777e-8), left), y);
}`,
};
