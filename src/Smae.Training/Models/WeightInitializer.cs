using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Draws the first weights of a model from one seeded generator: the same seed gives the same model on every device.</summary>
internal sealed class WeightInitializer(WeightInitialization scheme, Generator generator)
{
    private double Gain => scheme == WeightInitialization.Smae ? Math.Sqrt(2) : 1;

    public double ClassTokenStd => scheme == WeightInitialization.Smae ? 1e-6 : 0.02;

    public double MaskTokenStd => scheme == WeightInitialization.Smae ? 1e-3 : 0.02;

    /// <summary>Xavier uniform; a convolution's weight counts as the matrix <c>[dim, channels * patch * patch]</c>.</summary>
    public void Xavier(Tensor weight)
    {
        long outputs = weight.size(0), inputs = weight.numel() / outputs;
        double bound = Gain * Math.Sqrt(6.0 / (inputs + outputs));
        using var _ = no_grad();
        weight.uniform_(-bound, bound, generator);
    }

    public void Normal(Tensor weight, double std)
    {
        using var _ = no_grad();
        weight.normal_(0, std, generator);
    }

    /// <summary>Every linear layer below <paramref name="module"/>.</summary>
    public void XavierLinears(nn.Module module)
    {
        foreach (nn.Module child in module.modules())
            if (child is Linear linear) Xavier(linear.Weight);
    }
}

/// <summary>How the weights of a new model are drawn. Biases start at 0, normalisation layers at 1 and 0.</summary>
public enum WeightInitialization
{
    /// <summary>As facebookresearch/mae: Xavier uniform for every linear layer and the patch projection; class and mask token normal(0, 0.02).</summary>
    Mae,

    /// <summary>As the code of SMAE: Xavier uniform with gain sqrt(2); mask token normal(0, 1e-3), class token normal(0, 1e-6).</summary>
    Smae,
}
