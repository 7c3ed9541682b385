using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Normalisation of each channel over the batch.</summary>
public abstract class BatchNorm : NormBase
{
    public BatchNorm(long num_features, double eps, double momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name)
        : base(num_features, eps, momentum, affine, track_running_stats, device, dtype, name) { }

    public override Tensor forward(Tensor input)
    {
        ValidateInputDimensions(input);
        double factor = momentum ?? 0;
        if (training && track_running_stats && num_batches_tracked is not null)
        {
            num_batches_tracked.add_(1);
            factor = momentum ?? 1.0 / (double)num_batches_tracked;
        }
        bool useStatistics = !training || track_running_stats;
        return nn.functional.batch_norm(input, useStatistics ? running_mean : null, useStatistics ? running_var : null, HeldWeight, bias,
            training || (running_mean is null && running_var is null), factor, eps);
    }
}
