using static TorchSharp.Interop.Operator;

namespace TorchSharp.Interop;

// The operators that networks use.
internal static partial class Aten
{
    public static readonly Operator
        adaptive_avg_pool1d = Named(), adaptive_avg_pool2d = Named(), adaptive_avg_pool3d = Named(), affine_grid_generator = Named(), avg_pool2d = Named(), batch_norm = Named(),
        binary_cross_entropy = Named(), binary_cross_entropy_with_logits = Named(), col2im = Named(), conv1d = Named(),
        conv2d = Named(), conv2dPadded = Named("padding", "conv2d"), cosine_similarity = Named(), cross_entropy_loss = Named(), dropout = Named(),
        embedding = Named(), grid_sampler = Named(), group_norm = Named(), huber_loss = Named(), im2col = Named(), kl_div = Named(), l1_loss = Named(),
        layer_norm = Named(), linear = Named(), max_pool2d = Named(), max_pool2d_with_indices = Named(), mse_loss = Named(), nll_loss_nd = Named(), pad = Named(),
        pairwise_distance = Named(), pixel_shuffle = Named(), pixel_unshuffle = Named(), scaled_dot_product_attention = Named(), smooth_l1_loss = Named();

    // Resizing, by number of dimensions
    public static readonly Operator
        upsample_bicubic2d = Named(), upsample_bilinear2d = Named(), upsample_linear1d = Named(), upsample_nearest1d = Named(), upsample_nearest2d = Named(),
        upsample_nearest3d = Named(), upsample_trilinear3d = Named(), _upsample_bicubic2d_aa = Named(), _upsample_bilinear2d_aa = Named(),
        _upsample_nearest_exact1d = Named(), _upsample_nearest_exact2d = Named(), _upsample_nearest_exact3d = Named();

    // Fourier transforms
    public static readonly Operator
        fft_fft = Named(), fft_ifft = Named(), fft_fft2 = Named(), fft_ifft2 = Named(), fft_fftn = Named(), fft_ifftn = Named(), fft_rfft = Named(),
        fft_irfft = Named(), fft_rfft2 = Named(), fft_irfft2 = Named(), fft_rfftn = Named(), fft_irfftn = Named(), fft_fftshift = Named(), fft_ifftshift = Named(),
        fft_fftfreq = Named(), fft_rfftfreq = Named();
}
