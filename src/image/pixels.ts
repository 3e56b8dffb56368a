// Decoded pixels, interleaved [height, width, 3].

/** Pixels as they are seen: upright, three channels, sRGB, no transparency. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], one byte a channel: red, green, blue. */
  readonly data: Uint8Array;
}

/** Brightness of pixel number `index`, weights .299, .587, .114, in the unit of the data. */
export function luma(data: Uint8Array, index: number): number {
  const i = 3 * index;
  return (
    0.299 * (data[i] as number) + 0.587 * (data[i + 1] as number) + 0.114 * (data[i + 2] as number)
  );
}
