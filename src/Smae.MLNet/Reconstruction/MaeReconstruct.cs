using Microsoft.ML.Transforms.Image;
using Smae.Export;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>What a picture of a reconstruction shows.</summary>
public enum ReconstructionView
{
    /// <summary>The image with hidden patches as the autoencoder predicts them.</summary>
    Reconstruction,

    /// <summary>The image with hidden patches in the mean colour: what the autoencoder sees.</summary>
    Masked,

    /// <summary>The image, what the autoencoder sees of it and the reconstruction, from left to right.</summary>
    SideBySide,
}

/// <summary>What the pictures of <c>MaeReconstruct</c> show.</summary>
public sealed record MaeReconstructOptions
{
    /// <summary>What a picture shows. Default <see cref="ReconstructionView.Reconstruction"/>.</summary>
    public ReconstructionView View { get; init; } = ReconstructionView.Reconstruction;

    /// <summary>Which patches are hidden. Default null: as in pretraining, and random, 75%, for an autoencoder without its pretraining.</summary>
    public Masking? Masking { get; init; }

    /// <summary>
    /// What the autoencoder was pretrained for, which says what its predictions are. Default null: what it was, and for an autoencoder without its pretraining
    /// <see cref="Objective.Pixel"/>, or <see cref="Objective.SimMim"/> where hidden patches enter its encoder.
    /// </summary>
    public Objective? Objective { get; init; }

    /// <summary>
    /// What is done to an image first. Default null: as in pretraining, and ImageNet's statistics for an autoencoder without its pretraining.
    /// </summary>
    public ImagePreprocessing? Preprocessing { get; init; }

    /// <summary>
    /// Seed of the masks. Under one seed an image is masked the same way each time, wherever it stands: 64 masks are drawn, and its pixels say which of them it
    /// gets. Default null: it comes from the <c>MLContext</c>.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>What happens with images that cannot be read. Default <see cref="BrokenImagePolicy.Skip"/>: the picture is null, with a warning.</summary>
    public BrokenImagePolicy BrokenImages { get; init; } = BrokenImagePolicy.Skip;

    /// <summary>Checks the options against the autoencoder that makes the pictures.</summary>
    /// <exception cref="ArgumentException">Something is wrong; the message names every fault.</exception>
    internal void Validate(MaskedAutoencoder autoencoder)
    {
        VisionTransformerConfig encoder = autoencoder.Config;
        List<string> faults = [.. Rules.Faults(this), .. Preprocessing?.Faults() ?? []];
        if (autoencoder.PictureFault is { } unfit) faults.Insert(0, unfit);
        if (Preprocessing is { } p && (p.Height, p.Width, p.Channels) != (encoder.ImageHeight, encoder.ImageWidth, encoder.Channels))
            faults.Add($"Preprocessing gives {p.Height}x{p.Width}x{p.Channels}: "
                + $"the autoencoder expects {encoder.ImageHeight}x{encoder.ImageWidth}x{encoder.Channels}.");
        if (Masking is not null && (int)(encoder.PatchCount * (1 - Masking.Ratio)) < 1)
            faults.Add($"Masking hides {Masking.Ratio:P0} of {encoder.PatchCount} patches, which leaves none visible: expected at least one.");
        Rules.Check(faults, "options");
    }
}

/// <summary>Adds a column of pictures that show what a masked autoencoder makes of images of which it sees a part.</summary>
/// <remarks>Nothing is trained. The output column is one of images, which belong to whoever reads them.</remarks>
public sealed class MaeReconstructEstimator : ImageEstimator<MaeReconstructTransformer>
{
    private readonly MaskedAutoencoder _autoencoder;
    private readonly MaeReconstructOptions _options;
    private readonly ImagePreprocessing _preprocessing;
    private readonly int _seed;

    /// <exception cref="ArgumentException">An option is wrong; the message names every one that is.</exception>
    internal MaeReconstructEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, MaskedAutoencoder autoencoder, MaeReconstructOptions options)
        : base(environment, inputColumnName, PreprocessingOf(autoencoder, options))
    {
        (_autoencoder, _options, _preprocessing) = (autoencoder, options, Decoders.Preprocessing);
        _seed = options.Seed ?? Host.Rand.Next();
        int parts = ReconstructionModel.PartsOf(options.View).Length;
        Outputs = [new PictureOutput(outputColumnName, _preprocessing.Height, _preprocessing.Width * parts, _preprocessing.Channels)];
    }

    private protected override IReadOnlyList<OutputColumn> Outputs { get; }

    // Decoded whole: pixels say how an image is masked, so the saved chain must see the same to the last.
    private protected override MaeReconstructTransformer Create(IDataView input, ImageColumnKind kind) => new(
        Host, InputColumnName, kind, new ImageDecoders(_preprocessing, whole: true), new ReconstructionModel(_autoencoder, _preprocessing, _options, _seed), Outputs,
        _options.BrokenImages);

    private static ImagePreprocessing PreprocessingOf(MaskedAutoencoder autoencoder, MaeReconstructOptions options)
    {
        options.Validate(autoencoder);
        VisionTransformerConfig config = autoencoder.Config;
        return options.Preprocessing ?? new ImagePreprocessing { Height = config.ImageHeight, Width = config.ImageWidth, Channels = config.Channels };
    }
}

/// <summary>Adds a column of pictures that show what a masked autoencoder makes of images of which it sees a part.</summary>
/// <remarks>
/// <para>
/// As with ML.NET's own image columns, a picture belongs to whoever reads it and is freed when it is handed back to the getter for the next row;
/// <c>CreateEnumerable</c> does so, so look at one row's picture before you go on to the next. Where an image cannot be read the picture is null. The member of
/// a row class that takes the picture names its size, as with every image column of ML.NET: <c>[ImageType(height, width)]</c>, three times the width for
/// <see cref="ReconstructionView.SideBySide"/>. The autoencoder stays its owner's.
/// </para>
/// <inheritdoc/>
/// </remarks>
public sealed class MaeReconstructTransformer : ImageTransformer
{
    // A picture is some hundred thousand numbers: fewer at a time than embeddings.
    private const int PictureBatch = 16;

    private readonly MaskedPictures _pictures;

    internal MaeReconstructTransformer(
        IHost host, string inputColumnName, ImageColumnKind kind, ImageDecoders decoders, ReconstructionModel model,
        IReadOnlyList<OutputColumn> outputs, BrokenImagePolicy brokenImages)
        : base(new ImageScoring(host, inputColumnName, kind, decoders, model, outputs, brokenImages, "its picture is null", PictureBatch)) =>
        _pictures = model.Pictures;

    /// <summary>The column of pictures.</summary>
    public string OutputColumnName => Scoring.Outputs[0].Name;

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.SavePictures(context, OutputColumnName, _pictures);
}

/// <summary>
/// An autoencoder whose numbers are the bytes of a picture. An image takes one of a few masks that are drawn once: which one depends on its pixels alone, so
/// that it is the same in whatever batch, order or row the image comes, and an ONNX graph can say it.
/// </summary>
internal sealed class ReconstructionModel : TorchModel
{
    /// <summary>So many that images are masked in different ways, and so few that they take no room in a saved model.</summary>
    private const int MaskCount = 64;

    private readonly MaskedAutoencoder _autoencoder;
    private readonly Objective _objective;

    public ReconstructionModel(MaskedAutoencoder autoencoder, ImagePreprocessing preprocessing, MaeReconstructOptions options, int seed)
        : base(preprocessing, preprocessing.ByteCount * PartsOf(options.View).Length, ModelWeights.Of(autoencoder).First().Tensor.device)
    {
        (_autoencoder, _objective) = (autoencoder, options.Objective
            ?? (autoencoder.Target == DecoderTarget.LinearPixels ? Objective.SimMim() : Objective.Pixel()));
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        PatchMask masks = (options.Masking ?? Masking.Random(0.75)).Draw(MaskCount, autoencoder.Config.GridHeight, autoencoder.Config.GridWidth, generator);
        Pictures = new MaskedPictures(masks.Hidden().to_type(ScalarType.Byte).data<byte>().ToArray(), PartsOf(options.View));
        autoencoder.eval();
    }

    /// <summary>What stands side by side in a picture.</summary>
    public static PicturePart[] PartsOf(ReconstructionView view) => view switch
    {
        ReconstructionView.Masked => [PicturePart.Seen],
        ReconstructionView.SideBySide => [PicturePart.Original, PicturePart.Seen, PicturePart.Completed],
        _ => [PicturePart.Completed],
    };

    /// <summary>The masks, and what a picture shows.</summary>
    public MaskedPictures Pictures { get; }

    protected override Tensor Forward(Tensor bytes)
    {
        Tensor original = Normalizer.Normalize(bytes);
        var (seen, completed) = ReconstructionGrid.Complete(_autoencoder, original, MaskOf(bytes).To(Normalizer.Device), _objective);
        Tensor[] parts = [.. Pictures.Parts.Select(part => part switch
        {
            PicturePart.Original => original,
            PicturePart.Seen => seen,
            _ => completed,
        })];
        return Normalizer.ToBytes(cat(parts, 3));
    }

    /// <exception cref="NotSupportedException">The objective makes pixels of predictions in a way of its own.</exception>
    protected override SavedOutput Write(string path)
    {
        Type maker = _objective.GetType().GetMethod(nameof(Objective.ToPixels))!.DeclaringType!;
        if (maker.Assembly != typeof(Objective).Assembly)
            throw new NotSupportedException(
                $"{maker.Name}.{nameof(Objective.ToPixels)} makes pixels of predictions, and a saved model cannot hold it. Make the transformer " +
                "again with mlContext.Transforms.MaeReconstruct instead of loading it.");
        return new SavedOutput(_autoencoder.ExportOnnx(path, new MaePretrainOptions
        {
            Encoder = _autoencoder.Config, Objective = _objective, Preprocessing = Preprocessing,
        }).Info.Outputs[0]);
    }

    private PatchMask MaskOf(Tensor bytes)
    {
        int patches = _autoencoder.Config.PatchCount;
        long[] sums = bytes.to_type(ScalarType.Int64).sum([1, 2, 3]).data<long>().ToArray();
        IEnumerable<byte> masks = sums.SelectMany(sum => Pictures.Masks.Skip((int)(sum % MaskCount) * patches).Take(patches));
        return PatchMask.FromFlags([.. masks.Select(hidden => hidden != 0)], patches);
    }
}

/// <summary>Bytes of pixels as an image, null where the row's own image could not be read.</summary>
/// <param name="name">The column.</param>
/// <param name="height">Height in pixels.</param>
/// <param name="width">Width in pixels.</param>
/// <param name="channels">Numbers of a pixel: 1 (grey), 3 (red, green, blue) or 4, of which the last is left out.</param>
internal sealed class PictureOutput(string name, int height, int width, int channels) : OutputColumn(name, new ImageDataViewType(height, width))
{
    public override Delegate Getter(RowScores scores, RowProblem problem) => (ValueGetter<MLImage>)((ref MLImage value) =>
    {
        var numbers = scores();
        // As ML.NET's own getters of images do: who keeps a reference and hands it back has the old image freed with the new.
        value?.Dispose();
        value = float.IsNaN(numbers[0]) ? null! : Draw(numbers);
    });

    private MLImage Draw(ReadOnlySpan<float> numbers)
    {
        byte[] pixels = new byte[height * width * 4];
        for (int i = 0; i < height * width; i++)
        {
            var from = numbers.Slice(i * channels, channels);
            for (int c = 0; c < 3; c++) pixels[4 * i + c] = (byte)from[channels >= 3 ? c : 0];
            pixels[4 * i + 3] = byte.MaxValue;
        }
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
    }
}
