using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A linear layer from embeddings to logits (<c>weight</c>, <c>bias</c>), or batch normalisation and then that layer (<c>0.*</c>, <c>1.*</c>, the
/// names that facebookresearch/mae's probe has below <c>head</c>).
/// </summary>
internal static class ClassifierHead
{
    /// <summary>
    /// Of the weights of a new head, as facebookresearch/mae's fine-tuning. It draws from a normal distribution cut off at -2 and 2, a hundred
    /// thousand deviations away: no number is ever cut off.
    /// </summary>
    public const double Std = 2e-5;

    public static nn.Module<Tensor, Tensor> Create(int inputs, int classes, bool batchNorm, double std, Generator generator)
    {
        var linear = new Linear(inputs, classes);
        using (no_grad()) linear.Weight.normal_(0, std, generator).clamp_(-2, 2);
        return batchNorm ? new Normalized(inputs, linear) : linear;
    }

    private sealed class Normalized : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "0")] private readonly BatchNormalization _norm;
        [ComponentName(Name = "1")] private readonly Linear _linear;

        public Normalized(int inputs, Linear linear) : base(nameof(Normalized))
        {
            (_norm, _linear) = (new BatchNormalization(inputs), linear);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _linear.forward(_norm.forward(input));
    }
}
