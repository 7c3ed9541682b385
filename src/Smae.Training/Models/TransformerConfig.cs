namespace Smae.Training;

/// <summary>What encoder and decoder have in common: a stack of transformer blocks of one width.</summary>
public abstract record TransformerConfig
{
    /// <summary>Width of a token in channels.</summary>
    public required int EmbedDim { get; init; }

    /// <summary>Number of transformer blocks.</summary>
    public required int Depth { get; init; }

    /// <summary>Number of attention heads in each block; divides <see cref="EmbedDim"/>.</summary>
    public required int NumHeads { get; init; }

    /// <summary>Width of the hidden layer of a block's MLP as a multiple of <see cref="EmbedDim"/>. Default 4.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>What a block adds its output to. Default <see cref="ResidualStyle.PreNorm"/>.</summary>
    public ResidualStyle Residual { get; init; } = ResidualStyle.PreNorm;

    /// <summary>The MLP's non-linearity. Default <see cref="Activation.Gelu"/>.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>How positions are encoded. Default <see cref="PositionEncoding.SineCosine2D"/>.</summary>
    public PositionEncoding Positions { get; init; } = PositionEncoding.SineCosine2D;

    /// <summary>Whether a layer normalisation follows the last block. Default true.</summary>
    public bool FinalNorm { get; init; } = true;

    /// <summary>Added to the variance in every layer normalisation. Default 1e-6.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Probability of dropping an activation in attention output and MLP while training. Default 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Width of the hidden layer of a block's MLP.</summary>
    internal int MlpDim => (int)(EmbedDim * MlpRatio);

    /// <summary>The faults of this configuration, one sentence each; <paramref name="name"/> is what the sentences call it.</summary>
    internal virtual IEnumerable<string> Faults(string name)
    {
        if (EmbedDim < 1) yield return $"{name}.EmbedDim is {EmbedDim}: expected a positive width.";
        if (Depth < 1) yield return $"{name}.Depth is {Depth}: expected at least one block.";
        if (NumHeads < 1 || (EmbedDim > 0 && EmbedDim % NumHeads != 0))
            yield return $"{name}.NumHeads is {NumHeads}: expected a divisor of {name}.EmbedDim ({EmbedDim}).";
        if (!(MlpRatio > 0) || MlpDim < 1) yield return $"{name}.MlpRatio is {MlpRatio}: expected a positive number.";
        if (!(LayerNormEpsilon > 0)) yield return $"{name}.LayerNormEpsilon is {LayerNormEpsilon}: expected a positive number.";
        if (!(Dropout is >= 0 and < 1)) yield return $"{name}.Dropout is {Dropout}: expected a probability in [0, 1).";
        if (Positions == PositionEncoding.SineCosine2D && EmbedDim % 4 != 0)
            yield return $"{name}.EmbedDim is {EmbedDim}: two-dimensional sine-cosine positions need a multiple of 4.";
        if (Positions == PositionEncoding.SineCosine1D && EmbedDim % 2 != 0)
            yield return $"{name}.EmbedDim is {EmbedDim}: one-dimensional sine-cosine positions need an even width.";
    }
}
