using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>Adds a column of embeddings that an encoder's ONNX file makes, a batch of rows at a time.</summary>
/// <remarks><inheritdoc/></remarks>
public sealed class OnnxEmbeddingTransformer : OnnxImageTransformer
{
    internal OnnxEmbeddingTransformer(OnnxScorer parts, string outputColumnName) : base(parts) => OutputColumnName = outputColumnName;

    /// <summary>The column of embeddings.</summary>
    public string OutputColumnName { get; }

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.Save(context, OutputColumnName);
}
