namespace Smae.Training;

/// <summary>Divides the images of a pretraining run into those that it trains on and those that it only measures itself by, drawn by its seed.</summary>
internal sealed class HeldOutImages
{
    private readonly ImageStore _images;
    private readonly MaePretrainOptions _options;
    private readonly Device _device;
    private readonly Ranks _ranks;
    private readonly long[] _training, _heldOut;   // of the latter this rank evaluates those from _own.Begin on
    private readonly (int Begin, int End) _own;
    private LabelFreeEvaluation? _randomWeights;

    /// <exception cref="ArgumentException">No image is left to train on.</exception>
    public HeldOutImages(ImageStore images, MaePretrainOptions options, Device device, Ranks ranks)
    {
        (_images, _options, _device, _ranks) = (images, options, device, ranks);
        int[] shards = ranks.Shards;   // each holds out its share
        (int begin, int end) = Ranks.Share(options.HeldOutImages, Array.IndexOf(shards, ranks.Sharing[0]), shards.Length);
        int own = end - begin;
        if (own >= images.Count)
            throw new ArgumentException(
                $"HeldOutImages is {options.HeldOutImages}{(ranks.AreSharded ? $", {own} of each shard," : "")} and there are {images.Count} images: "
                + "expected some to train on.",
                nameof(options));
        long[] all = [.. Enumerable.Range(0, (int)images.Count)];
        if (options.HeldOutImages > 0)
        {
            using var random = new RandomStream(options.Seed ?? 0);
            using Tensor order = randperm(images.Count, ScalarType.Int64, generator: random.At(RandomUse.HeldOut, 0));
            all = order.data<long>().ToArray();
        }
        _heldOut = [.. new long[begin], .. all.Take(own).Order(), .. new long[options.HeldOutImages - end]];   // those of other shards are not looked at here
        _training = [.. all.Skip(own).Order()];
        (int from, int to) = ranks.OwnOf(own);
        _own = (begin + from, begin + to);
    }

    /// <summary>Images to train on.</summary>
    public long TrainingCount => _training.Length;

    /// <summary>
    /// Epochs between two looks at the images held out, no more, and how many images these are: what <see cref="TrainingOptions.TimeBudget"/> has to know.
    /// </summary>
    public (int Every, long Images) Looks => _heldOut.Length == 0 ? default : (_options.HeldOutEvery ?? 1, _heldOut.Length);

    /// <summary>What tells a checkpoint of these images from one of others.</summary>
    /// <param name="brief">Whether a look at some of the images will do.</param>
    public string Identity(bool brief) => $"{_images.Count} images, {_images.ContentHash(brief)}" + (_heldOut.Length == 0 ? "" : $", {_heldOut.Length} held out");

    /// <summary>Images to train on, by their numbers among these: <c>[indices, height, width, channels]</c>, uint8.</summary>
    public Tensor Batch(ReadOnlySpan<long> indices)
    {
        var picked = new long[indices.Length];
        for (int i = 0; i < picked.Length; i++) picked[i] = _training[indices[i]];
        return _images.Batch(picked);
    }

    /// <summary>Measures a model on the images held out, after the epochs that the options say.</summary>
    /// <returns>Null where it is not to be measured.</returns>
    public LabelFreeEvaluation? Evaluate(Trainer trainer, TrainingEpoch epoch, MaskedAutoencoder model)
    {
        int every = _options.HeldOutEvery ?? Math.Max(1, epoch.Last.Epochs / 20);
        if (_heldOut.Length == 0 || (epoch.Number % every != 0 && epoch.Number != epoch.Last.Epochs)) return null;
        return trainer.Evaluate(epoch, () =>
        {
            model.eval();
            try
            {
                _randomWeights ??= OfRandomWeights(Quietly(trainer));
                return Evaluate(model, _images, _heldOut, _own, Quietly(trainer), _device, _ranks) with { RandomWeights = _randomWeights };
            }
            finally
            {
                model.train();
            }
        }, evaluation => evaluation.IsFinite ? 0 : double.NaN);
    }

    private MaePretrainOptions Quietly(Trainer trainer) => _options with { CancellationToken = trainer.Cancellation };

    /// <summary>Measures a model, which is in evaluation mode, on some images.</summary>
    /// <param name="own">Which of them this rank looks at; all get the figures of all.</param>
    public static LabelFreeEvaluation Evaluate(
        MaskedAutoencoder model, ImageStore images, long[] indices, (int Begin, int End) own, MaePretrainOptions options, Device device, Ranks ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var normalizer = new ImageNormalizer(options.Preprocessing, device);
        long seed = options.Seed ?? 0;
        LabelFreeEvaluation evaluation = LabelFreeEvaluation.Of(
            images, indices, own, ranks, (model.Config.EmbedDim, device), (bytes, augmentation, random) =>
                model.Encoder.Pool(model.Encoder.forward(normalizer.Normalize(bytes, augmentation, random)), options.Pooling).to_type(ScalarType.Float32),
            RandomStream.Mix(seed, (long)RandomUse.HeldOut), options.CancellationToken);
        if (model.PictureFault is not null) return evaluation;

        using var masks = new RandomStream(seed);
        double sum = 0;
        foreach ((int from, int to, (int first, int count)) in LabelFreeEvaluation.Blocks(indices.Length, own))
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            using DisposeScope blockScope = NewDisposeScope();
            PatchMask mask = options.Masking.Draw(
                to - from, model.Config.GridHeight, model.Config.GridWidth, masks.At(RandomUse.Mask, RandomStream.Mix((long)RandomUse.HeldOut, from)))
                .Narrow(first - from, count).To(device);
            Reconstruction made = model.forward(normalizer.Normalize(images.Batch(indices.AsSpan(first, count))), mask);
            Tensor errors = (options.Objective.ToPixels(made) - made.Patches).to_type(ScalarType.Float32).Squared().mean([-1]) * mask.Hidden();
            sum += errors.sum().AsDouble() / mask.HiddenCount;
        }
        return evaluation with { Reconstruction = ranks.Sum("the reconstructions", sum)[0] / indices.Length };
    }

    private LabelFreeEvaluation OfRandomWeights(MaePretrainOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        using MaskedAutoencoder random = new MaskedAutoencoder(_options.Encoder, _options.Decoder, _options.Seed ?? 0, _options.Objective.Target).to(_device);
        random.Precision = _options.Precision;
        random.eval();
        return Evaluate(random, _images, _heldOut, _own, options, _device, _ranks);
    }
}
