using Smae.Training;

namespace Smae.Export;

/// <summary>
/// Exports models to ONNX. Every file takes any number of images at once (the dimension <c>batch</c>), tells about itself
/// (<see cref="OnnxModelInfo"/>) and was proven first: ONNX Runtime's numbers are TorchSharp's in float32. Models may be on any device.
/// </summary>
public static class OnnxExport
{
    /// <summary>Exports an encoder: images to embeddings, or to all tokens.</summary>
    /// <param name="path">The file; one that was there before is replaced once all is well. Its folder is created if it is missing.</param>
    /// <param name="options">How; null takes every option's default.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    /// <exception cref="OnnxExportException">ONNX Runtime and TorchSharp differ by more than the tolerance; no file was written.</exception>
    /// <exception cref="InvalidOperationException">A weight is not finite, or too large for the precision.</exception>
    public static OnnxExportResult ExportOnnx(this ImageEncoder encoder, string path, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return new EncoderExport(encoder, options ?? new OnnxExportOptions()).Run(path);
    }

    /// <summary>Exports a classifier: images to probabilities and, as a second output named <c>logits</c>, what they are the softmax of.</summary>
    /// <inheritdoc cref="ExportOnnx(ImageEncoder, string, OnnxExportOptions)"/>
    public static OnnxExportResult ExportOnnx(this ImageClassifier classifier, string path, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        return new ClassifierExport(classifier, options ?? new OnnxExportOptions()).Run(path);
    }

    /// <summary>Exports a whole SqueezeNet, such as SMAE's critic, with a classifier's outputs. Not in <see cref="OnnxPrecision.Int8"/>.</summary>
    /// <param name="preprocessing">What was done to images in training.</param>
    /// <param name="classNames">The names of the classes in the order of the network's output. Default null: none.</param>
    /// <exception cref="ArgumentException">An option, the images' size or the number of names is wrong; the message names every fault.</exception>
    /// <inheritdoc cref="ExportOnnx(ImageEncoder, string, OnnxExportOptions)"/>
    public static OnnxExportResult ExportOnnx(
        this SqueezeNet network, string path, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames = null,
        OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(preprocessing);
        return new SqueezeNetExport(network, preprocessing, classNames, options ?? new OnnxExportOptions()).Run(path);
    }

    /// <summary>
    /// Exports a whole masked autoencoder: images and masks to reconstructions. The second input, <c>mask</c>, is uint8 <c>[batch, patches]</c>: not
    /// 0 where a patch is hidden, patches row by row; each image may hide any number. The output is the prediction of every patch, visible or not, as
    /// an image of the input's layout and scale; normalised patches have the mean and deviation of the true ones.
    /// </summary>
    /// <param name="pretraining">The options it was pretrained with: preprocessing and objective count.</param>
    /// <exception cref="ArgumentException">
    /// The decoder does not predict pixels, the objective makes pixels of predictions in a way that it does not name
    /// (<see cref="Objective.PixelTarget"/>), an option is out of range, or the options are for another size; the message says which.
    /// </exception>
    /// <inheritdoc cref="ExportOnnx(ImageEncoder, string, OnnxExportOptions)"/>
    public static OnnxExportResult ExportOnnx(
        this MaskedAutoencoder model, string path, MaePretrainOptions pretraining, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(pretraining);
        return new AutoencoderExport(model, pretraining, options ?? new OnnxExportOptions()).Run(path);
    }
}

/// <summary>What an export gave: the file, what it tells about itself, how well ONNX Runtime agrees with TorchSharp about it, its size.</summary>
public sealed record OnnxExportResult(string Path, OnnxModelInfo Info, OnnxProof Proof, long FileBytes);
