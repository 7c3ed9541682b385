namespace Smae.Training;

/// <summary>
/// Weighted k-nearest-neighbour classification of embeddings, as DINO measures encoders (Caron et al. 2021, <c>eval_knn.py</c>): each of the k training images
/// of highest cosine similarity votes for its class with <c>exp(similarity / temperature)</c>. Nothing is trained.
/// </summary>
public static class KNearestNeighbors
{
    private const long BlockNumbers = 1 << 24;   // similarities at a time: 64 MB

    /// <summary>Measures an encoder.</summary>
    /// <param name="encoder">The encoder; nothing of it changes.</param>
    /// <param name="training">Images that vote.</param>
    /// <param name="validation">Images that are classified.</param>
    /// <param name="k">How many vote; with fewer training images than that, all of them. Default 20.</param>
    /// <param name="temperature">The lower, the more the nearest count. Default 0.07.</param>
    /// <param name="pooling">How tokens become one vector; null takes the encoder's own way. Default null.</param>
    /// <returns>
    /// Top-1 and top-5; a class without a vote is never right. <see cref="Evaluation.Loss"/> is not a number, since votes are no probabilities.
    /// </returns>
    /// <exception cref="ArgumentException">Images are of another size than the encoder's, or a class token is to be pooled and there is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or a validation label is none of the training images'.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static Evaluation Evaluate(
        ImageEncoder encoder, LabelledImages training, LabelledImages validation, int k = 20, double temperature = 0.07, Pooling? pooling = null,
        CancellationToken cancellationToken = default)
    {
        const int batchSize = 128;
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(k);
        if (!(temperature > 0)) throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "The temperature must be positive.");
        Pooling way = pooling ?? encoder.Pooling;
        if (way == Pooling.ClassToken && encoder.Model.Config.ClassToken == ClassToken.None)
            throw new ArgumentException("Pooling is ClassToken and the encoder has no class token.", nameof(pooling));
        training.CheckSize(encoder.Preprocessing, nameof(training));
        validation.CheckSize(encoder.Preprocessing, nameof(validation));
        validation.CheckLabels(training.ClassCount, nameof(validation));
        using Tensor voters = Embeddings.Of(encoder, training, way, batchSize, Ranks.Alone, cancellationToken);
        using Tensor asked = Embeddings.Of(encoder, validation, way, batchSize, Ranks.Alone, cancellationToken);
        return Evaluate(voters, training, asked, validation, k, temperature, cancellationToken);
    }

    /// <summary>The same on embeddings, <c>[images, dim]</c>, one for each label.</summary>
    internal static Evaluation Evaluate(
        Tensor voters, LabelledImages training, Tensor asked, LabelledImages validation, int k, double temperature,
        CancellationToken cancellation = default)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Device device = voters.device;
        long[] voting = [.. Enumerable.Range(0, (int)training.Count).Select(i => (long)i)];
        Tensor classes = training.Labels(voting, device), directions = Unit(voters).t();
        int neighbors = (int)Math.Min(k, training.Count);
        List<Evaluation> parts = [];
        long numbersPerImage = Math.Max(training.Count, (long)neighbors * training.ClassCount);
        foreach (long[] block in validation.Blocks((int)Math.Clamp(BlockNumbers / numbersPerImage, 1, 1024)))
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope blockScope = NewDisposeScope();
            // What is not a number is like nothing: it has no vote, and is never right.
            Tensor all = Unit(asked.narrow(0, block[0], block.Length)).matmul(directions).nan_to_num(double.NegativeInfinity);
            (Tensor similarity, Tensor nearest) = all.topk(neighbors, 1);
            Tensor everyClass = TensorArithmetic.Range(training.ClassCount, ScalarType.Int64, device);
            Tensor votesFor = classes.index_select(0, nearest.flatten()).view(nearest.shape).unsqueeze(-1).eq(everyClass);
            // Logarithms of votes, [block, classes]: the votes themselves vanish at low temperatures.
            Tensor votes = similarity.to_type(ScalarType.Float64).DividedBy(temperature).unsqueeze(-1).expand(votesFor.shape)
                .Masked(votesFor.logical_not(), double.NegativeInfinity).logsumexp(1);
            Tensor labels = validation.Labels(block, device);
            Tensor unvoted = votes.gather(1, labels.unsqueeze(1)).squeeze(1).IsEqualTo(double.NegativeInfinity);
            parts.Add(Evaluation.FromRanks(Evaluation.Ranks(votes, labels).Masked(unvoted, training.ClassCount + 5), double.NaN));
        }
        return Evaluation.Together(parts, Ranks.Alone);
    }

    private static Tensor Unit(Tensor embeddings) => nn.functional.normalize(embeddings, dim: 1);
}
