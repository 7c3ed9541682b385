namespace Smae.Training;

/// <summary>
/// An encoder with all it needs to turn images into embeddings: preprocessing, pooling, device. Thread-safe; calls are run one after the other, since each
/// already uses all cores.
/// </summary>
public sealed class ImageEncoder : ImageModel
{
    /// <summary>Puts an encoder to use. It is switched to evaluation and disposed together with this object.</summary>
    /// <param name="model">The encoder, already on <paramref name="device"/>.</param>
    /// <param name="pooling">How tokens become one vector. Default <see cref="Pooling.Mean"/>.</param>
    /// <exception cref="ArgumentException">Encoder and preprocessing are for different sizes.</exception>
    public ImageEncoder(VisionTransformer model, ImagePreprocessing preprocessing, Pooling pooling = Pooling.Mean, Device? device = null)
        : base(Checked(model, preprocessing), preprocessing, device) => (Model, Pooling) = (model, pooling);

    /// <summary>The encoder.</summary>
    public VisionTransformer Model { get; }

    /// <summary>How tokens become one vector.</summary>
    public Pooling Pooling { get; }

    /// <summary>Numbers in an embedding.</summary>
    public int EmbedDim => Model.Config.EmbedDim;

    /// <summary>An encoder with random weights: the baseline that pretraining is measured against.</summary>
    /// <param name="device">Where; null is the CPU.</param>
    public static ImageEncoder Create(VisionTransformerConfig config, long seed = 0, Device? device = null) =>
        Create(config, config.UsualPreprocessing, Pooling.Mean, seed, device);

    private static ImageEncoder Create(VisionTransformerConfig config, ImagePreprocessing preprocessing, Pooling pooling, long seed, Device? device) =>
        new(new VisionTransformer(config, seed).to(device ?? CPU), preprocessing, pooling, device);

    /// <summary>Embeds images.</summary>
    /// <param name="images">Their bytes one after the other, each <c>[height, width, channels]</c> of <see cref="ImageModel.Preprocessing"/>.</param>
    /// <param name="embeddings">Takes the embeddings one after the other, <c>[count, EmbedDim]</c>.</param>
    /// <exception cref="ArgumentException">A span is not of the length that <paramref name="count"/> asks for.</exception>
    public void Embed(ReadOnlySpan<byte> images, int count, Span<float> embeddings) =>
        Run(images, count, embeddings, EmbedDim, pixels => Pooled(pixels, Pooling));

    /// <summary>Embeds a batch.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c> of <see cref="ImageModel.Preprocessing"/>, uint8.</param>
    /// <param name="pooling">How tokens become one vector; null, the default, is <see cref="Pooling"/>.</param>
    /// <returns><c>[batch, EmbedDim]</c>, float32, on the encoder's device, without a graph.</returns>
    public Tensor Embed(Tensor bytes, Pooling? pooling = null) => Run(bytes, pixels => Pooled(pixels, pooling ?? Pooling));

    internal Tensor Embed(Tensor bytes, Pooling pooling, Augmentation? augmentation, RandomSequence[] random) =>
        Run(bytes, augmentation, random, pixels => Pooled(pixels, pooling));

    private Tensor Pooled(Tensor pixels, Pooling pooling) => Model.Pool(Model.forward(pixels), pooling).to_type(ScalarType.Float32);

    /// <summary>Saves the weights as safetensors and, beside them under the same name with <c>.json</c>, configuration and preprocessing.</summary>
    /// <param name="path">The weights' file, for example <c>encoder.safetensors</c>.</param>
    /// <exception cref="ArgumentException">The path ends in <c>.json</c>.</exception>
    /// <exception cref="IOException">The files cannot be written; files that were there before are untouched.</exception>
    public void Save(string path) =>
        Locked(() => ModelDescription.Save(path, ModelWeights.Of(Model), new EncoderDescription(Model.Config, Preprocessing, Pooling)));

    /// <summary>
    /// Loads what <see cref="Save"/> wrote, or an encoder as Hugging Face's hub has it, a folder with <c>config.json</c> and <c>model.safetensors</c> or shards
    /// with an index: transformers' ViT, ViTMAE, DINOv2 and DINOv2 with registers, and timm's plain vision transformers. ViTMAE pools by mean, the others by
    /// class token, timm's as their <c>global_pool</c> says. DINOv2 is made for the size that its <c>preprocessor_config.json</c> crops images to, its positions
    /// resized. Of a classifier that pools by mean the norm behind the pooling (<c>fc_norm</c>) is left out: it belongs to the head.
    /// </summary>
    /// <param name="path">The weights' file, or the folder.</param>
    /// <param name="device">Where to; null is the CPU.</param>
    /// <exception cref="FileNotFoundException">The weights or the JSON file beside them are not there.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or the two do not fit each other; the message says where.</exception>
    public static ImageEncoder Load(string path, Device? device = null)
    {
        (EncoderFiles files, EncoderDescription description) = EncoderFiles.FindDescribed(path);
        return ModelDescription.Fitting(files.Weights, () =>
        {
            description.Encoder.Validate();
            ModelWeights.CheckShape(files.Stored ?? description.Encoder, SafeTensors.Open(files.Weights));
            return Create(description.Encoder, description.Preprocessing, description.Pooling, 0, device)
                .OrDispose(encoder => ModelWeights.Load(encoder.Model, files.Weights, resizePositions: files.Stored != description.Encoder));
        });
    }

    private static VisionTransformer Checked(VisionTransformer model, ImagePreprocessing preprocessing)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(preprocessing);
        Rules.Check([.. model.Config.SizeFaults("the encoder", preprocessing), .. preprocessing.Faults()], nameof(preprocessing));
        return model;
    }
}

/// <summary>Embeddings of whole sets of images.</summary>
internal static class Embeddings
{
    /// <summary>Embeds images, each rank some of the blocks of those that it shares with others.</summary>
    /// <returns><c>[images, dim]</c>, float32, on the encoder's device, in no dispose scope.</returns>
    public static Tensor Of(ImageEncoder encoder, LabelledImages images, Pooling pooling, int batchSize, Ranks ranks, CancellationToken cancellation)
    {
        (long begin, long count) = ranks.PlaceOf(images.Count);
        Tensor made = zeros([count, encoder.EmbedDim], ScalarType.Float32, encoder.Device).DetachFromDisposeScope();
        made.OrDispose(all =>
        {
            long[][] blocks = [.. images.Blocks(batchSize)];
            (int from, int to) = ranks.OwnOf(blocks.Length);
            foreach (long[] block in blocks[from..to])
            {
                cancellation.ThrowIfCancellationRequested();
                using DisposeScope scope = NewDisposeScope();
                all.narrow(0, begin + block[0], block.Length).copy_(encoder.Embed(images.Images.Batch(block), pooling));
            }
            ranks.Sum(all, "the embeddings");
        });
        if (count == images.Count) return made;
        using (made) return made.narrow(0, begin, images.Count).clone().DetachFromDisposeScope();
    }
}
