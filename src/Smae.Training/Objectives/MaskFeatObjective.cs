using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// MaskFeat (Wei et al. 2022): the encoder sees all patches, hidden ones as a learned mask token, and one linear layer predicts histograms of oriented gradients
/// (HOG) of the hidden ones: mean squared error. It hides rectangles, <see cref="Masking.BlockWise"/>; <see cref="Recipes.MaskFeatPretrain"/> has the rest.
/// </summary>
/// <remarks>There is no decoder and no picture of what is predicted: <see cref="ReconstructionGrid"/> refuses. Mask token and layer go with the run.</remarks>
public sealed record MaskFeatObjective : Objective
{
    private const int PublishedCell = 8;

    internal MaskFeatObjective()
    {
    }

    /// <summary>Directions that a histogram tells apart, over the full circle. Default 9.</summary>
    [Range(1, 360)] public int Orientations { get; init; } = 9;

    /// <summary>
    /// Height and width of a histogram's cell in pixels; divides a patch. Default null: 8, the paper's, or where it does not divide a patch the largest number
    /// below that does: 4 for patches of 4.
    /// </summary>
    [Range(1, int.MaxValue)] public int? CellSize { get; init; }

    /// <summary>
    /// Height and width in pixels of the windows, side by side over the image, in which gradients count more the nearer they are to the middle: a Gaussian with a
    /// deviation of half a window. 0, the default, is none, as in facebookresearch/SlowFast; open-mmlab/mmpretrain has 16.
    /// </summary>
    [Range(0, int.MaxValue)] public int GaussianWindow { get; init; }

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.None;

    /// <inheritdoc/>
    protected internal override bool HidesPatches => true;

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        VisionTransformerConfig encoder = options.Encoder;
        bool tiles = GaussianWindow <= 0 || (encoder.ImageHeight % GaussianWindow == 0 && encoder.ImageWidth % GaussianWindow == 0);
        return
        [
            .. Expect(CellSize, CellSize is not > 0 || encoder.PatchSize % CellSize == 0, $"a divisor of Encoder.PatchSize ({encoder.PatchSize})"),
            .. Expect(GaussianWindow, tiles, $"a divisor of both sides of an image ({encoder.ImageHeight}x{encoder.ImageWidth})"),
        ];
    }

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, options, device);

    internal HogFeatures FeaturesOf(VisionTransformerConfig encoder, Device device)
    {
        int cell = CellSize ?? Enumerable.Range(1, PublishedCell).Last(size => encoder.PatchSize % size == 0);
        return new HogFeatures(encoder, Orientations, cell, GaussianWindow, device);
    }

    internal sealed class Run : ObjectiveRun
    {
        private readonly VisionTransformer _encoder;
        private readonly HogFeatures _features;

        public Run(MaskFeatObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            _encoder = model.Encoder;
            _features = Own(settings.FeaturesOf(model.Config, device));
            using Generator generator = options.HeadGenerator();
            Head = Own(new MaskTokenHead(model.Config, _features.Count, generator).to(device));
        }

        public MaskTokenHead Head { get; }

        public override IReadOnlyList<Parameter> Parameters => [.. Head.parameters()];

        public override IEnumerable<(string Name, Tensor Tensor)> State => ModelWeights.Named(Head);

        public override bool IsMeanOverImages => true;

        public override bool EncodesHidden => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            Tensor prediction = Head.PredictHidden(_encoder, _encoder.CutIntoPatches(batch.Images), batch.Mask);
            return (prediction - Patches.Pick(_features.Of(batch.Images), batch.Mask.HiddenIndices())).Squared().mean();
        }
    }
}

/// <summary>
/// Histograms of oriented gradients as MaskFeat has them: for each channel and cell of an image how much gradient (Sobel, mirrored edges) there is in each
/// direction, each histogram divided by its L2 norm.
/// </summary>
internal sealed class HogFeatures : IDisposable
{
    private readonly VisionTransformerConfig _shape;
    private readonly int _orientations, _cell;
    private readonly Tensor _sobel;
    private readonly Tensor? _window;

    public HogFeatures(VisionTransformerConfig shape, int orientations, int cell, int window, Device device)
    {
        (_shape, _orientations, _cell) = (shape, orientations, cell);
        using DisposeScope scope = NewDisposeScope();
        Tensor across = tensor((float[])[1, 0, -1, 2, 0, -2, 1, 0, -1], [1, 1, 3, 3], device: device);
        _sobel = cat([across, across.transpose(2, 3)], 0).DetachFromDisposeScope();
        if (window == 0) return;
        Tensor fromMiddle = TensorArithmetic.Range(window, ScalarType.Float32, device).Minus((window - 1) / 2.0);
        Tensor curve = fromMiddle.DividedBy(Math.Max(1, window / 2)).Squared().Times(-0.5).exp();
        Tensor bell = curve.unsqueeze(1) * curve;
        _window = (bell / bell.sum()).repeat(shape.ImageHeight / window, shape.ImageWidth / window).DetachFromDisposeScope();
    }

    /// <summary>Numbers for each patch.</summary>
    public int Count => _shape.Channels * _orientations * (_shape.PatchSize / _cell) * (_shape.PatchSize / _cell);

    /// <summary>The histograms of images, <c>[batch, channels, height, width]</c>, float32, without a graph.</summary>
    /// <returns><c>[batch, patches, channels * orientations * cells of a patch]</c>.</returns>
    public Tensor Of(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        (int rows, int columns, int inPatch) = (_shape.GridHeight, _shape.GridWidth, _shape.PatchSize / _cell);
        Tensor planes = images.reshape(-1, 1, _shape.ImageHeight, _shape.ImageWidth);
        Tensor gradients = nn.functional.conv2d(nn.functional.pad(planes, [1, 1, 1, 1], PaddingModes.Reflect), _sobel);
        (Tensor across, Tensor down) = (gradients.select(1, 0), gradients.select(1, 1));
        Tensor sizes = gradients.norm(1), directions = atan2(across, down).DividedBy(Math.PI).Times(_orientations).floor().Modulo(_orientations);
        if (_window is not null) sizes *= _window;
        Tensor InCells(Tensor pixels) => pixels.view(-1, rows * inPatch, _cell, columns * inPatch, _cell).sum([2, 4]);
        Tensor[] bins = [.. Enumerable.Range(0, _orientations).Select(bin => InCells(sizes * directions.IsEqualTo(bin)))];
        Tensor histograms = nn.functional.normalize(stack(bins, 1), dim: 1);   // [batch * channels, orientations, rows of cells, columns of cells]
        return histograms.view(-1, _shape.Channels, _orientations, rows, inPatch, columns, inPatch).permute(0, 3, 5, 1, 2, 4, 6)
            .reshape(-1, rows * columns, Count).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _sobel.Dispose();
        _window?.Dispose();
    }
}
