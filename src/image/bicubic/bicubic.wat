;; The two passes of bicubic.ts in SIMD: bytes times 22-bit weights, summed in int32, back to bytes.
;; Reads and writes at most 16 bytes past the end of its ranges.
(module
  (memory (export "memory") 1)

  ;; One target row: `length` bytes from `count` source rows that lie `stride` bytes apart.
  (func (export "column")
    (param $source i32) (param $stride i32) (param $weights i32) (param $count i32)
    (param $target i32) (param $length i32)
    (local $i i32) (local $k i32) (local $at i32) (local $bytes v128) (local $weight v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $half v128)
    (loop $next
      (local.set $a (v128.const i32x4 2097152 2097152 2097152 2097152))
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (local.set $k (i32.const 0))
      (local.set $at (i32.add (local.get $source) (local.get $i)))
      (loop $rows
        (local.set $bytes (v128.load (local.get $at)))
        (local.set $weight (v128.load32_splat
          (i32.add (local.get $weights) (i32.shl (local.get $k) (i32.const 2)))))
        (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
        (local.set $a (i32x4.add (local.get $a)
          (i32x4.mul (local.get $weight) (i32x4.extend_low_i16x8_u (local.get $half)))))
        (local.set $b (i32x4.add (local.get $b)
          (i32x4.mul (local.get $weight) (i32x4.extend_high_i16x8_u (local.get $half)))))
        (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
        (local.set $c (i32x4.add (local.get $c)
          (i32x4.mul (local.get $weight) (i32x4.extend_low_i16x8_u (local.get $half)))))
        (local.set $d (i32x4.add (local.get $d)
          (i32x4.mul (local.get $weight) (i32x4.extend_high_i16x8_u (local.get $half)))))
        (local.set $at (i32.add (local.get $at) (local.get $stride)))
        (br_if $rows (i32.lt_u
          (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $count))))
      (v128.store (i32.add (local.get $target) (local.get $i))
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $a) (i32.const 22))
                                (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s (i32x4.shr_s (local.get $c) (i32.const 22))
                                (i32x4.shr_s (local.get $d) (i32.const 22)))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16))) (local.get $length)))))

  ;; One row: `size` pixels; pixel x from counts[x] pixels at firsts[x] with weights[x · stride …].
  (func (export "row")
    (param $source i32) (param $firsts i32) (param $counts i32) (param $weights i32)
    (param $stride i32) (param $target i32) (param $size i32)
    (local $x i32) (local $at i32) (local $w i32) (local $end i32) (local $sum v128)
    (loop $next
      (local.set $sum (v128.const i32x4 2097152 2097152 2097152 2097152))
      (local.set $at (i32.add (local.get $source)
        (i32.mul (i32.load (i32.add (local.get $firsts) (i32.shl (local.get $x) (i32.const 2))))
                 (i32.const 3))))
      (local.set $w (i32.add (local.get $weights)
        (i32.shl (i32.mul (local.get $x) (local.get $stride)) (i32.const 2))))
      (local.set $end (i32.add (local.get $w)
        (i32.shl (i32.load (i32.add (local.get $counts) (i32.shl (local.get $x) (i32.const 2))))
                 (i32.const 2))))
      (loop $taps
        (local.set $sum (i32x4.add (local.get $sum) (i32x4.mul
          (v128.load32_splat (local.get $w))
          (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u
            (v128.load32_zero (local.get $at)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 3)))
        (br_if $taps (i32.lt_u
          (local.tee $w (i32.add (local.get $w) (i32.const 4))) (local.get $end))))
      (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
      (v128.store32_lane 0 (local.get $target)
        (i8x16.narrow_i16x8_u (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum))
                              (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum))))
      (local.set $target (i32.add (local.get $target) (i32.const 3)))
      (br_if $next (i32.lt_u
        (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $size))))))
