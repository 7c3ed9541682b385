using System.Globalization;

namespace Smae.Training;

/// <summary>
/// How good the embeddings of an encoder are, told without labels. Each figure says little alone: compare it with that of random weights, and over a run.
/// </summary>
/// <param name="Count">Images that were looked at.</param>
/// <param name="RankMe">
/// The number of dimensions that the embeddings use (RankMe, Garrido et al. 2023): from 1, all are multiples of one vector, to the smaller of
/// <paramref name="Count"/> and the encoder's width. It depends on <paramref name="Count"/>: compare figures of as many images.
/// </param>
/// <param name="OwnCrop">
/// Of two random crops of each image, the share whose nearest neighbour by cosine, among all other crops, is the other crop of the same image; 0 to 1.
/// </param>
public sealed record LabelFreeEvaluation(long Count, double RankMe, double OwnCrop)
{
    private const int BatchSize = 128, BlockRows = 1024;
    private const double RankEpsilon = 1e-7, Tie = 1e-9;
    private static readonly Augmentation s_crop = Augmentation.RandomResizedCrop(0.2, 1);

    /// <summary>
    /// Mean squared error of an autoencoder's reconstructions over the hidden patches, in units of the normalised images; null where nothing predicts pixels.
    /// Where an objective normalises patches, each has its true mean and deviation given back, so that random weights paint each patch in its mean colour.
    /// </summary>
    public double? Reconstruction { get; init; }

    /// <summary>The same figures of random weights, on the same images, crops and masks; null where nobody measured them.</summary>
    public LabelFreeEvaluation? RandomWeights { get; init; }

    /// <summary>Whether no figure is infinite or not a number.</summary>
    internal bool IsFinite => double.IsFinite(RankMe) && double.IsFinite(Reconstruction ?? 0);

    /// <summary>Measures an encoder.</summary>
    /// <param name="encoder">The encoder; nothing of it changes.</param>
    /// <param name="images">Images that it was not trained on, some hundreds at best, two at least.</param>
    /// <param name="seed">Seed of the crops, which are 0.2 to 1 of an image's area. Default 0.</param>
    /// <param name="pooling">How tokens become one vector; null takes the encoder's own way. Default null.</param>
    /// <exception cref="ArgumentException">The images are of another size than the encoder's, or fewer than two.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static LabelFreeEvaluation Of(
        ImageEncoder encoder, ImageStore images, long seed = 0, Pooling? pooling = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(images);
        encoder.Preprocessing.CheckSize(images, nameof(images));
        if (images.Count < 2) throw new ArgumentException($"There are {images.Count} images: expected at least two.", nameof(images));
        long[] all = [.. Enumerable.Range(0, (int)images.Count)];
        return Of(
            images, all, (0, all.Length), Ranks.Alone, (encoder.EmbedDim, encoder.Device),
            (bytes, augmentation, random) => encoder.Embed(bytes, pooling ?? encoder.Pooling, augmentation, random), seed, cancellationToken);
    }

    /// <summary>The effective rank of embeddings: the exponential of the entropy of their singular values (RankMe, Garrido et al. 2023, epsilon 1e-7).</summary>
    /// <param name="embeddings"><c>[images, dim]</c>, as they are, not centred.</param>
    /// <returns>1 for a constant embedding, at most the smaller of both dimensions; not a number where an embedding is not finite.</returns>
    /// <exception cref="ArgumentException">The tensor has another number of dimensions, or is empty.</exception>
    public static double EffectiveRank(Tensor embeddings)
    {
        if (embeddings.dim() != 2 || embeddings.numel() == 0)
            throw new ArgumentException($"Embeddings of shape [{string.Join(", ", embeddings.shape)}]: expected [images, dim].", nameof(embeddings));
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor rows = embeddings.cpu().to_type(ScalarType.Float64);
        if (!rows.isfinite().all().AsBoolean()) return double.NaN;
        Tensor values = linalg.svdvals(rows), shares = (values / values.sum().AtLeast(double.Epsilon)).Plus(RankEpsilon);
        return Math.Exp(-(shares * shares.log()).sum().AsDouble());
    }

    /// <summary>The share of embeddings whose nearest neighbour by cosine, among all of both tensors, is that of the same row in the other tensor.</summary>
    /// <param name="first">Of one crop of each image, <c>[images, dim]</c>.</param>
    /// <param name="second">Of another crop of each, the same shape.</param>
    /// <returns>0 to 1; a neighbour as near as another does not count, so that a constant embedding has 0.</returns>
    /// <exception cref="ArgumentException">The shapes are not those of two or more embeddings each.</exception>
    public static double OwnCropShare(Tensor first, Tensor second)
    {
        if (first.dim() != 2 || first.size(0) < 2 || !first.shape.SequenceEqual(second.shape))
            throw new ArgumentException(
                $"Embeddings of shape [{string.Join(", ", first.shape)}] and [{string.Join(", ", second.shape)}]: expected [images, dim] of two images or more, twice.",
                nameof(second));
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor directions = nn.functional.normalize(cat([first, second], 0).to_type(ScalarType.Float64), dim: 1);
        long images = first.size(0), right = 0;
        for (long from = 0; from < 2 * images; from += BlockRows)
        {
            using DisposeScope block = NewDisposeScope();
            long count = Math.Min(BlockRows, 2 * images - from);
            Tensor similarity = directions.narrow(0, from, count).matmul(directions.t());
            Tensor itself = TensorArithmetic.Range(from, from + count, ScalarType.Int64, directions.device).unsqueeze(1);
            Tensor other = itself.Plus(images).Modulo(2 * images);
            Tensor own = similarity.gather(1, other);
            Tensor below = TensorArithmetic.Full([count, 2], -2, ScalarType.Float64, directions.device);   // every cosine
            Tensor nearest = similarity.scatter(1, cat([itself, other], 1), below).amax([1], keepdim: true);
            right += own.gt(nearest.Plus(Tie)).sum().AsInt64();
        }
        return (double)right / (2 * images);
    }

    /// <summary>Measures whatever makes embeddings.</summary>
    /// <param name="own">Which of the images this rank embeds; all get the figures of all.</param>
    /// <param name="embed">From bytes, an augmentation or null, and what that draws from, to embeddings, <c>[batch, dim]</c>, float32.</param>
    internal static LabelFreeEvaluation Of(
        ImageStore images, long[] indices, (int Begin, int End) own, Ranks ranks, (int Dim, Device Device) embedding,
        Func<Tensor, Augmentation?, RandomSequence[], Tensor> embed, long seed, CancellationToken cancellation)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor[] views = [.. ((Augmentation?[])[null, s_crop, s_crop]).Select((augmentation, view) =>
        {
            Tensor made = zeros([indices.Length, embedding.Dim], ScalarType.Float32, embedding.Device);
            foreach ((_, _, (int first, int count)) in Blocks(indices.Length, own))
            {
                cancellation.ThrowIfCancellationRequested();
                using DisposeScope blockScope = NewDisposeScope();
                RandomSequence[] random = RandomSequence.OfImages(RandomStream.Mix(seed, view), first, count);
                made.narrow(0, first, count).copy_(embed(images.Batch(indices.AsSpan(first, count)), augmentation, random));
            }
            ranks.Sum(made, "the embeddings of images held out");
            return made;
        })];
        return new LabelFreeEvaluation(indices.Length, EffectiveRank(views[0]), OwnCropShare(views[1], views[2]));
    }

    /// <summary>So many images, a batch at a time: where it begins and ends, and which of it are a rank's own, where there are some.</summary>
    internal static IEnumerable<(int From, int To, (int First, int Count) Own)> Blocks(int count, (int Begin, int End) own)
    {
        for (int from = 0; from < count; from += BatchSize)
        {
            int to = Math.Min(from + BatchSize, count), first = Math.Max(from, own.Begin), end = Math.Min(to, own.End);
            if (first < end) yield return (from, to, (first, end - first));
        }
    }

    /// <summary>One line for people.</summary>
    public override string ToString()
    {
        string Beside(string name, Func<LabelFreeEvaluation, double?> of, string format) => of(this) is not { } value ? "" :
            name + value.ToString(format, CultureInfo.InvariantCulture)
            + (RandomWeights is null ? "" : $" ({of(RandomWeights)?.ToString(format, CultureInfo.InvariantCulture)})");
        return (RandomWeights is null ? "" : "(random weights in brackets) ") + Beside("RankMe ", e => e.RankMe, "F1")
            + Beside(", own crop nearest ", e => e.OwnCrop, "P1")
            + Beside(", reconstruction error ", e => e.Reconstruction, "F4");
    }
}
