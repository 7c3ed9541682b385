using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A Fire module: few channels by 1x1, then many by 1x1 and 3x3 side by side (Iandola et al. 2016); torchvision's names.</summary>
internal sealed class Fire : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "squeeze")] private readonly Conv2d _squeeze;
    [ComponentName(Name = "expand1x1")] private readonly Conv2d _expand1;
    [ComponentName(Name = "expand3x3")] private readonly Conv2d _expand3;

    public Fire(int inputs, int squeeze, int expand) : base(nameof(Fire))
    {
        _squeeze = nn.Conv2d(inputs, squeeze, 1);
        _expand1 = nn.Conv2d(squeeze, expand, 1);
        _expand3 = nn.Conv2d(squeeze, expand, 3, padding: 1);
        RegisterComponents();
    }

    /// <param name="x"><c>[batch, inputs, height, width]</c>.</param>
    /// <returns><c>[batch, 2 * expand, height, width]</c>.</returns>
    public override Tensor forward(Tensor x)
    {
        x = nn.functional.relu(_squeeze.forward(x));
        return cat([nn.functional.relu(_expand1.forward(x)), nn.functional.relu(_expand3.forward(x))], 1);
    }
}
