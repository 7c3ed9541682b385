namespace Smae.MLNet;

/// <summary>What a transformer over an ONNX file is made of.</summary>
/// <param name="Scorer">Adds the columns.</param>
/// <param name="Model">The model that it runs, to be disposed with the transformer.</param>
/// <param name="File">The file it was opened from.</param>
/// <param name="Saved">Saves it.</param>
internal sealed record OnnxScorer(ImageScorer Scorer, OnnxFileModel Model, OnnxFile File, SavedChain Saved);
