namespace Smae.MLNet;

/// <summary>Adds a column of embeddings that an encoder's ONNX file makes.</summary>
/// <remarks>
/// <para>The output column is a Vector&lt;Single&gt; of the encoder's width; of a file that gives tokens, all tokens of the image one after the other.</para>
/// <inheritdoc/>
/// </remarks>
public sealed class OnnxEmbeddingEstimator : OnnxImageEstimator<OnnxEmbeddingTransformer>
{
    private readonly OnnxFile _file;

    internal OnnxEmbeddingEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, OnnxFile file, BrokenImagePolicy brokenImages, string? errorColumnName)
        : base(environment, inputColumnName, file, brokenImages)
    {
        _file = file;
        Outputs = ErrorOutput.Beside(new VectorOutput(outputColumnName, file.Output.Length), errorColumnName);
    }

    /// <summary>The column of embeddings.</summary>
    public string OutputColumnName => Outputs[0].Name;

    private protected override IReadOnlyList<OutputColumn> Outputs { get; }

    private protected override OnnxEmbeddingTransformer Create(IDataView input, ImageColumnKind kind) => new(Open(kind, _file.Output, "its embedding is NaN"));
}

/// <summary>Adds a column of embeddings that an encoder's ONNX file makes, a batch of rows at a time.</summary>
/// <remarks><inheritdoc/></remarks>
public sealed class OnnxEmbeddingTransformer : OnnxImageTransformer
{
    internal OnnxEmbeddingTransformer(ImageScoring scoring) : base(scoring)
    {
    }

    /// <summary>The column of embeddings.</summary>
    public string OutputColumnName => Scoring.Outputs[0].Name;

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.Save(context, OutputColumnName);
}
