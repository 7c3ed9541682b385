using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Adds a column of embeddings that an encoder's ONNX file makes.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Looks at the data to train</term><description>no</description></item>
/// <item>
/// <term>Input column</term>
/// <description>Image, Text (path of an image file) or Vector&lt;Byte&gt; (content of an image file)</description>
/// </item>
/// <item>
/// <term>Output column</term>
/// <description>
/// Vector&lt;Single&gt; of the encoder's width; of a file that gives tokens, all tokens of the image one after the other
/// </description>
/// </item>
/// </list>
/// </remarks>
public sealed class OnnxEmbeddingEstimator : OnnxImageEstimator<OnnxEmbeddingTransformer>
{
    private readonly OnnxFile _file;

    internal OnnxEmbeddingEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, OnnxFile file, BrokenImagePolicy brokenImages)
        : base(environment, nameof(OnnxEmbeddingEstimator), inputColumnName, file, brokenImages) => (OutputColumnName, _file) = (outputColumnName, file);

    /// <summary>The column of embeddings.</summary>
    public string OutputColumnName { get; }

    private protected override string Consequence => "its embedding is NaN";

    private protected override IReadOnlyList<OutputColumn> Outputs => [MaeTransformer.Embedding(OutputColumnName, _file.Output.Length)];

    private protected override OnnxOutputInfo SavedOutput => _file.Output;

    private protected override OnnxEmbeddingTransformer Create(OnnxScorer scorer) => new(scorer, OutputColumnName);
}
