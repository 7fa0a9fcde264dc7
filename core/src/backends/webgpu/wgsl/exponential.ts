/**
 * WGSL for exponentials, logarithms and their kin in float32. The language's own have relative errors of hundreds of ulp and more; these
 * stay within a few. Methods: additive argument reduction by ln 2 and short polynomials (Cody and Waite 1980); the logarithm by
 * s = f/(2+f) and the power by a logarithm in two parts as in Sun's fdlibm (1993).
 */
export const exponential = {
  h_pow2: `fn h_pow2(k: i32) -> f32 { return bitcast<f32>(u32(clamp(k, -126, 127) + 127) << 23u); }`,
  h_scale: `fn h_scale(x: f32, k: i32) -> f32 { let h = k / 2; return (x * h_pow2(h)) * h_pow2(k - h); }`,
  // expm1 for |r| <= ln(2)/2.
  h_expm1_core: `fn h_expm1_core(r: f32) -> f32 {
  return r + r * r * (0.5 + r * (1.6666667e-1 + r * (4.1666467e-2 + r * (8.3333105e-3 + r * (1.3933647e-3 + r * 1.9890988e-4)))));
}`,
  h_exp: `fn h_exp(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  if (x > 88.8) { return h_inf(); }
  if (x < -104.0) { return 0.0; }
  let k = round(x * 1.44269504);
  let r = (x - k * 0.693359375) + k * 2.1219444e-4;
  return h_scale(1.0 + h_expm1_core(r), i32(k));
}`,
  h_exp2: `fn h_exp2(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  if (x >= 128.0) { return h_inf(); }
  if (x < -151.0) { return 0.0; }
  let k = round(x);
  let f = x - k;
  return h_scale(1.0 + h_expm1_core(f * 0.69314718 + f * 1.9046542e-9), i32(k));
}`,
  h_expm1: `fn h_expm1(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  if (x > 88.8) { return h_inf(); }
  if (x < -18.0) { return -1.0; }
  let k = round(x * 1.44269504);
  if (k == 0.0) { return select(h_expm1_core(x), x, abs(x) < 1e-8); }
  if (k > 25.0) { return h_exp(x) - 1.0; }
  let r = (x - k * 0.693359375) + k * 2.1219444e-4;
  let t = h_pow2(i32(k));
  return t * h_expm1_core(r) + (t - 1.0);
}`,
  // x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); x positive and finite, subnormals included.
  h_split: `fn h_split(x: f32) -> vec2f {
  var u = bitcast<u32>(x);
  var k = 0;
  if (u < 0x00800000u) { u = bitcast<u32>(f32(u)); k = -149; }
  u = u + (0x3f800000u - 0x3f3504f3u);
  k = k + i32(u >> 23u) - 127;
  return vec2f(bitcast<f32>((u & 0x7fffffu) + 0x3f3504f3u) - 1.0, f32(k));
}`,
  // log(1 + f) + k ln 2 + c.
  h_log_core: `fn h_log_core(f: f32, k: f32, c: f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  let w = z * z;
  let r = w * (0.40000972152 + w * 0.24279078841) + z * (0.66666662693 + w * 0.28498786688);
  let h = 0.5 * f * f;
  return (((s * (h + r) + (k * 9.0580006145e-6 + c)) - h) + f) + k * 0.69313812256;
}`,
  h_log: `fn h_log(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  if ((u << 1u) == 0u) { return -h_inf(); }
  if ((u >> 31u) == 1u) { return h_nan(); }
  if (u >= 0x7f800000u) { return x; }
  let s = h_split(x);
  return h_log_core(s.x, s.y, 0.0);
}`,
  h_log2: `fn h_log2(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  if ((u << 1u) == 0u) { return -h_inf(); }
  if ((u >> 31u) == 1u) { return h_nan(); }
  if (u >= 0x7f800000u) { return x; }
  let s = h_split(x);
  let y = h_log_core(s.x, 0.0, 0.0);
  return s.y + (y * 1.4426950216 + y * 1.9259630e-8);
}`,
  h_log10: `fn h_log10(x: f32) -> f32 {
  let u = bitcast<u32>(x);
  if ((u << 1u) == 0u) { return -h_inf(); }
  if ((u >> 31u) == 1u) { return h_nan(); }
  if (u >= 0x7f800000u) { return x; }
  let s = h_split(x);
  let y = h_log_core(s.x, 0.0, 0.0);
  return s.y * 3.0102920532e-1 + (y * 0.4342944920 + (s.y * 7.9034151668e-7 - y * 1.0103050e-8));
}`,
  h_log1p: `fn h_log1p(x: f32) -> f32 {
  if (h_isnan(x) || x < -1.0) { return h_nan(); }
  if (x == -1.0) { return -h_inf(); }
  if (!h_isfinite(x)) { return x; }
  if (abs(x) < 2.9802322e-8) { return x; }
  if (x > -0.29289 && x < 0.41421) { return h_log_core(x, 0.0, 0.0); }
  let u = 1.0 + x;
  let c = select(x - (u - 1.0), 1.0 - (u - x), u >= 2.0) / u;
  let s = h_split(u);
  return h_log_core(s.x, s.y, select(c, 0.0, x > 3.3554432e7));
}`,
  h_logistic: `fn h_logistic(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  let e = h_exp(-abs(x));
  return select(e / (1.0 + e), 1.0 / (1.0 + e), x >= 0.0);
}`,
  h_sinh: `fn h_sinh(x: f32) -> f32 {
  let a = abs(x);
  let h = h_copysign(0.5, x);
  if (a < 88.0) {
    let t = h_expm1(a);
    if (a < 1.0) { return h_copysign(0.5 * ((t + t) - t * t / (t + 1.0)), x); }
    return h * (t + t / (t + 1.0));
  }
  let e = h_exp(0.5 * a);
  return (h * e) * e;
}`,
  h_cosh: `fn h_cosh(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.34657359) { let t = h_expm1(a); return 1.0 + t * t / (2.0 * (1.0 + t)); }
  if (a < 88.0) { let t = h_exp(a); return 0.5 * t + 0.5 / t; }
  let e = h_exp(0.5 * a);
  return (0.5 * e) * e;
}`,
  h_tanh: `fn h_tanh(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x)) { return x; }
  var t = 1.0;
  if (a < 0.0002) { t = a; }
  else if (a < 0.55) { let e = h_expm1(-2.0 * a); t = -e / (e + 2.0); }
  else if (a < 10.0) { t = 1.0 - 2.0 / (h_expm1(2.0 * a) + 2.0); }
  return h_copysign(t, x);
}`,
  h_asinh: `fn h_asinh(x: f32) -> f32 {
  let a = abs(x);
  if (!h_isfinite(x) || a < 2.4e-4) { return x; }
  var t = 0.0;
  if (a > 4096.0) { t = h_log(a) + 0.69314718; }
  else if (a > 2.0) { t = h_log(2.0 * a + 1.0 / (sqrt(a * a + 1.0) + a)); }
  else { t = h_log1p(a + a * a / (1.0 + sqrt(1.0 + a * a))); }
  return h_copysign(t, x);
}`,
  h_acosh: `fn h_acosh(x: f32) -> f32 {
  if (h_isnan(x) || x < 1.0) { return h_nan(); }
  if (x > 4096.0) { return h_log(x) + 0.69314718; }
  if (x > 2.0) { return h_log(2.0 * x - 1.0 / (x + sqrt(x * x - 1.0))); }
  let t = x - 1.0;
  return h_log1p(t + sqrt(2.0 * t + t * t));
}`,
  h_atanh: `fn h_atanh(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x) || a > 1.0) { return h_nan(); }
  if (a == 1.0) { return h_copysign(h_inf(), x); }
  if (a < 2.4e-4) { return x; }
  let t = 0.5 * h_log1p(select(2.0 * a / (1.0 - a), 2.0 * a + 2.0 * a * a / (1.0 - a), a < 0.5));
  return h_copysign(t, x);
}`,
  // Keeps the leading 12 bits, so that products of two such numbers are exact.
  h_head: `fn h_head(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }`,
  h_pow: `fn h_pow(x: f32, y: f32) -> f32 {
  let ux = bitcast<u32>(x);
  let uy = bitcast<u32>(y);
  let ix = ux & 0x7fffffffu;
  let iy = uy & 0x7fffffffu;
  if (iy == 0u || ux == 0x3f800000u) { return 1.0; }
  if (ix > 0x7f800000u || iy > 0x7f800000u) { return h_nan(); }
  // 0: y is no integer, 1: odd, 2: even.
  var parity = 0u;
  if (iy >= 0x4b800000u) { parity = 2u; }
  else if (iy >= 0x3f800000u) {
    let shift = 150u - (iy >> 23u);
    let m = (iy & 0x7fffffu) | 0x800000u;
    if (((m >> shift) << shift) == m) { parity = 2u - ((m >> shift) & 1u); }
  }
  let sign = select(0u, 0x80000000u, (ux >> 31u) == 1u && parity == 1u);
  let up = (uy >> 31u) == 0u;
  if (iy == 0x7f800000u) {
    if (ix == 0x3f800000u) { return 1.0; }
    return select(0.0, h_inf(), (ix > 0x3f800000u) == up);
  }
  if (ix == 0u) { return select(bitcast<f32>(sign | bitcast<u32>(h_inf())), bitcast<f32>(sign), up); }
  if (ix == 0x7f800000u) { return select(bitcast<f32>(sign), bitcast<f32>(sign | bitcast<u32>(h_inf())), up); }
  if ((ux >> 31u) == 1u && parity == 0u) { return h_nan(); }
  // log2|x| = t1 + t2.
  var n = 0;
  var u = ix;
  if (u < 0x00800000u) { u = bitcast<u32>(f32(u)); n = -149; }
  n = n + i32(u >> 23u) - 127;
  let j = u & 0x7fffffu;
  u = j | 0x3f800000u;
  var wide = false;
  if (j > 0x1cc471u) {
    if (j < 0x5db3d7u) { wide = true; } else { n = n + 1; u = u - 0x00800000u; }
  }
  let bp = select(1.0, 1.5, wide);
  let ax = bitcast<f32>(u);
  let d = ax - bp;
  let v = 1.0 / (ax + bp);
  let s = d * v;
  let sh = h_head(s);
  var th = bitcast<f32>((((u >> 1u) & 0xfffff000u) | 0x20000000u) + 0x00400000u + select(0u, 0x00200000u, wide));
  var tl = ax - (th - bp);
  let sl = v * ((d - sh * th) - sh * tl);
  let s2 = s * s;
  let r = s2 * s2 * (0.6 + s2 * (0.42857143283 + s2 * (0.33333334327 + s2 * (0.27272811532 + s2 * (0.23066075146 + s2 * 0.20697501302))))) + sl * (sh + s);
  let sh2 = sh * sh;
  th = h_head((3.0 + sh2) + r);
  tl = r - ((th - 3.0) - sh2);
  let a = sh * th;
  let b = sl * th + tl * s;
  let ph = h_head(a + b);
  let pl = b - (ph - a);
  let zh = 0.961914062 * ph;
  let zl = -1.1736857402e-4 * ph + pl * 0.96179670095 + select(0.0, 1.56322085e-6, wide);
  let dp = select(0.0, 0.584960938, wide);
  let t = f32(n);
  let t1 = h_head(((zh + zl) + dp) + t);
  let t2 = zl - (((t1 - t) - dp) - zh);
  // y log2|x| = qh + ql.
  let y1 = h_head(y);
  let ql = (y - y1) * t1 + y * t2;
  let qh = y1 * t1;
  let q = qh + ql;
  if (q >= 128.5) { return bitcast<f32>(sign | bitcast<u32>(h_inf())); }
  if (q < -151.0) { return bitcast<f32>(sign); }
  let k = round(q);
  let f = (qh - k) + ql;
  // Both parts times ln 2; the tail of f is what the sum above rounded away.
  let tail = ql - (f - (qh - k));
  let e = h_expm1_core(f * 0.69314718 + (f * 1.9046542e-9 + tail * 0.69314718));
  return bitcast<f32>(sign | bitcast<u32>(h_scale(1.0 + e, i32(k))));
}`,
};
