namespace Smae.MLNet;

/// <summary>An image model that can be written as ONNX, to be saved.</summary>
internal interface ISavableModel : IImageModel
{
    /// <summary>Writes an ONNX file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Where in it the numbers are: an embedding, the logits of classes, or the prediction of an image.</returns>
    SavedOutput WriteOnnx(string path);
}
