using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Batch normalisation of vectors without learned scale and shift, as facebookresearch/mae puts it before a linear probe (epsilon 1e-6, momentum
/// 0.1).
/// </summary>
internal sealed class BatchNormalization : nn.Module<Tensor, Tensor>
{
    internal const double Epsilon = 1e-6;
    private const double Momentum = 0.1;
    [ComponentName(Name = "running_mean")] private Tensor _mean;
    [ComponentName(Name = "running_var")] private Tensor _variance;
    [ComponentName(Name = "num_batches_tracked")] private Tensor _batches;   // of no use here, but PyTorch misses it in a file

    public BatchNormalization(int features) : base(nameof(BatchNormalization))
    {
        _mean = zeros(features);
        _variance = ones(features);
        _batches = tensor(0L);
        RegisterComponents();
    }

    /// <param name="input"><c>[batch, features]</c>, float32; while training at least two.</param>
    public override Tensor forward(Tensor input)
    {
        if (training)
        {
            using var noGrad = no_grad();
            _batches.add_(1);
        }
        return nn.functional.batch_norm(input, _mean, _variance, training: training, momentum: Momentum, eps: Epsilon);
    }
}
