namespace Microsoft.ML.Data;

/// <summary>What the metrics are computed from.</summary>
internal sealed class MulticlassCounters(int classCount)
{
    private const float SmallestProbability = 1e-15f;

    private readonly double[] _countOfClass = new double[classCount];
    private readonly double[] _logLossOfClass = new double[classCount];

    /// <summary>By the rank of the right class; the last is for classes that the model does not know.</summary>
    private readonly double[] _countOfRank = new double[classCount + 1];

    private double _count;
    private double _logLoss;

    /// <summary>Row: the class; column: the prediction.</summary>
    public double[][] ConfusionTable { get; } = [.. Enumerable.Range(0, classCount).Select(_ => new double[classCount])];

    public double MicroAccuracy => _count > 0 ? _countOfRank[0] / _count : 0;

    public double MacroAccuracy
    {
        get
        {
            int[] seen = [.. Enumerable.Range(0, classCount).Where(k => _countOfClass[k] > 0)];
            return seen.Length > 0 ? seen.Average(k => ConfusionTable[k][k] / _countOfClass[k]) : 0;
        }
    }

    public double LogLoss => _count > 0 ? _logLoss / _count : 0;

    /// <summary>Against always predicting the frequencies of the classes.</summary>
    public double LogLossReduction
    {
        get
        {
            double entropy = -_countOfClass.Where(n => n != 0).Sum(n => n * Math.Log(n / _count)) / _count;
            return (entropy - LogLoss) / entropy;
        }
    }

    public double[] PerClassLogLoss => [.. _logLossOfClass.Zip(_countOfClass, (loss, count) => count > 0 ? loss / count : 0)];

    /// <summary>For each number of guesses up to the greatest: how often the right class is among them.</summary>
    public double[] TopKAccuracies(int greatest)
    {
        if (greatest > _countOfRank.Length)
            throw new IndexOutOfRangeException();
        double sum = 0;
        return [.. _countOfRank.Take(greatest).Select(n => sum += n / _count)];
    }

    public void Add(int label, ReadOnlySpan<float> scores)
    {
        bool known = label < classCount;
        float score = known ? scores[label] : 0;
        double loss = -Math.Log(known ? Math.Min(1, Math.Max(SmallestProbability, score)) : SmallestProbability);

        // Among equal scores the classes rank in their order.
        int rank = 0;
        int predicted = 0;
        for (int k = 0; k < scores.Length; k++)
        {
            if (scores[k] > score || (scores[k] == score && k < label))
                rank++;
            if (scores[predicted] < scores[k])
                predicted = k;
        }

        _count++;
        _logLoss += loss;
        _countOfRank[rank]++;
        if (rank == 0)
            predicted = label;
        if (!known && rank != 0)
            return;
        _countOfClass[label]++;
        _logLossOfClass[label] += loss;
        ConfusionTable[label][predicted]++;
    }
}
