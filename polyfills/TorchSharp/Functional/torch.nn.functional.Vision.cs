using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                Aten.pad.Call(input, pad, mode switch { PaddingModes.Reflect => "reflect", PaddingModes.Replicate => "replicate", PaddingModes.Circular => "circular", _ => "constant" }, value);

            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) => functional.pad(input, (ReadOnlySpan<long>)pad, mode, value);

            // On both sides of every dimension, as in the real library.
            public static Tensor pad(Tensor input, long pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, Enumerable.Repeat(pad, 2 * (int)input.Dimensions).ToArray(), mode, value);

            public static Tensor pad(Tensor input, (long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, (ReadOnlySpan<long>)[pad.Item1, pad.Item2], mode, value);

            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, (ReadOnlySpan<long>)[pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            public static Tensor grid_sample(Tensor input, Tensor grid, GridSampleMode mode = GridSampleMode.Bilinear, GridSamplePaddingMode padding_mode = GridSamplePaddingMode.Zeros, bool? align_corners = null) =>
                Aten.grid_sampler.Call(input, grid, mode == GridSampleMode.Bilinear ? 0 : 1,
                    padding_mode switch { GridSamplePaddingMode.Border => 1, GridSamplePaddingMode.Reflection => 2, _ => 0 }, align_corners ?? false);

            public static Tensor affine_grid(Tensor theta, long[]? size = null, bool align_corners = false) => Aten.affine_grid_generator.Call(theta, size ?? [], align_corners);

            public static Tensor interpolate(Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest,
                bool? align_corners = null, bool recompute_scale_factor = false, bool antialias = false)
            {
                int dims = (int)x.Dimensions - 2;
                if (dims is < 1 or > 3) throw new ExternalException($"Input Error: Only 3D, 4D and 5D input Tensors supported (got {x.Dimensions}D)");
                if (size is null && scale_factor is null) throw new ExternalException("either size or scale_factor should be defined");
                if (size is not null && scale_factor is not null) throw new ExternalException("only one of size or scale_factor should be defined");
                bool takesCorners = mode is InterpolationMode.Linear or InterpolationMode.Bilinear or InterpolationMode.Bicubic or InterpolationMode.Trilinear;
                if (align_corners is not null && !takesCorners)
                    throw new ExternalException("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
                if (antialias && mode is not (InterpolationMode.Bilinear or InterpolationMode.Bicubic))
                    throw new ExternalException("Anti-alias option is only supported for bilinear and bicubic modes");

                var sizes = size ?? NewSizes(x.shape, scale_factor!);
                var op = (mode, dims) switch
                {
                    (InterpolationMode.Area, 1) => Aten.adaptive_avg_pool1d,
                    (InterpolationMode.Area, 2) => Aten.adaptive_avg_pool2d,
                    (InterpolationMode.Area, 3) => Aten.adaptive_avg_pool3d,
                    (InterpolationMode.Nearest, 1) => Aten.upsample_nearest1d,
                    (InterpolationMode.Nearest, 2) => Aten.upsample_nearest2d,
                    (InterpolationMode.Nearest, 3) => Aten.upsample_nearest3d,
                    (InterpolationMode.NearestExact, 1) => Aten._upsample_nearest_exact1d,
                    (InterpolationMode.NearestExact, 2) => Aten._upsample_nearest_exact2d,
                    (InterpolationMode.NearestExact, 3) => Aten._upsample_nearest_exact3d,
                    (InterpolationMode.Linear, 1) => Aten.upsample_linear1d,
                    (InterpolationMode.Bilinear, 2) => antialias ? Aten._upsample_bilinear2d_aa : Aten.upsample_bilinear2d,
                    (InterpolationMode.Bicubic, 2) => antialias ? Aten._upsample_bicubic2d_aa : Aten.upsample_bicubic2d,
                    (InterpolationMode.Trilinear, 3) => Aten.upsample_trilinear3d,
                    _ => throw new ExternalException($"The mode {mode} does not fit an input of {dims + 2} dimensions."),
                };
                if (mode == InterpolationMode.Area) return op.Call(x, sizes);

                // The scale itself tells where to read, unless it is to follow from the sizes.
                var scales = scale_factor is null || recompute_scale_factor ? [] : Array.ConvertAll(scale_factor, scale => (Arg)scale);
                return takesCorners ? op.Call([x, sizes, align_corners ?? false, .. scales]) : op.Call([x, sizes, .. scales]);
            }

            private static long[] NewSizes(long[] shape, double[] scales) =>
                scales.Length == shape.Length - 2
                    ? scales.Select((scale, dim) => (long)Math.Floor(shape[dim + 2] * scale)).ToArray()
                    : throw new ExternalException("scale_factor shape must match input shape.");
        }
    }
}
