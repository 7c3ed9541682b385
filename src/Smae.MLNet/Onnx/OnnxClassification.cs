namespace Smae.MLNet;

/// <summary>Classifies images with a classifier's ONNX file.</summary>
/// <remarks>
/// <para>
/// The output columns are PredictedLabel (Key&lt;UInt32&gt;; its key values are the names of the classes, where the file has them), Score
/// (Vector&lt;Single&gt;, the probabilities of all classes) and Probability (Single, that of the predicted class).
/// </para>
/// <inheritdoc/>
/// </remarks>
public sealed class OnnxClassificationEstimator : OnnxImageEstimator<OnnxClassificationTransformer>
{
    private readonly OnnxFile _file;
    private readonly LabelClasses _classes;

    /// <exception cref="ArgumentException">The options ask for another output than the probabilities.</exception>
    /// <exception cref="InvalidDataException">The file has not as many names of classes as classes.</exception>
    internal OnnxClassificationEstimator(IHostEnvironment environment, string inputColumnName, OnnxFile file, BrokenImagePolicy brokenImages)
        : base(environment, inputColumnName, file, brokenImages)
    {
        if (file.Output != file.Info.Outputs[0])
            throw new ArgumentException(
                $"OutputName is '{file.Output.Name}': classification reads the probabilities, '{file.Info.Outputs[0].Name}'. Leave it null.",
                "options");
        if (file.Info.ClassNames is { } names && names.Count != file.Output.Length)
            throw new InvalidDataException($"{file.Path} is damaged: it has {names.Count} names of classes and {file.Output.Length} classes.");
        (_file, _classes) = (file, LabelClasses.Of(file.Info.ClassNames, file.Output.Length));
        Outputs = ClassificationOutputs.For(_classes);
    }

    private protected override IReadOnlyList<OutputColumn> Outputs { get; }

    // The second output of every classifier's file: see OnnxExport.
    private protected override OnnxClassificationTransformer Create(IDataView input, ImageColumnKind kind) =>
        new(Open(kind, _file.Info.Outputs.Single(output => output.Name == "logits"), ClassificationOutputs.OfBrokenImages), _classes);
}

/// <summary>
/// Classifies images with a classifier's ONNX file, a batch of rows at a time: adds <c>PredictedLabel</c> (the key of the likeliest class), <c>Score</c> (the
/// probabilities of all classes) and <c>Probability</c> (that of the predicted class).
/// </summary>
/// <remarks>
/// <para>A saved model gives <c>PredictedLabel</c> and <c>Score</c>.</para>
/// <inheritdoc/>
/// </remarks>
public sealed class OnnxClassificationTransformer : OnnxImageTransformer
{
    private readonly LabelClasses _classes;

    internal OnnxClassificationTransformer(ImageScoring scoring, LabelClasses classes) : base(scoring) => _classes = classes;

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.SaveClasses(context, _classes);
}
