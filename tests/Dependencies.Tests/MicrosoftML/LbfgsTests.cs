using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Multinomial logistic regression: where it ends, what it leaves out.</summary>
[TestClass]
public class LbfgsTests
{
    private const int Features = 4;
    private const int Classes = 3;

    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Blobs_are_told_apart()
    {
        IDataView data = Keyed(Blobs(90, spread: 0.3f));
        var model = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(data);
        var metrics = _ml.MulticlassClassification.Evaluate(model.Transform(data));
        Assert.AreEqual(1.0, metrics.MicroAccuracy);
        Assert.IsLessThan(0.5, metrics.LogLoss);
        Assert.AreEqual("Features", model.FeatureColumnName);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, Features), model.FeatureColumnType);
    }

    [TestMethod]
    public void Scores_are_probabilities_and_the_prediction_is_the_greatest()
    {
        IDataView data = Keyed(Blobs(60, spread: 2));
        IDataView scored = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(data).Transform(data);
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        uint[] predicted = [.. scored.GetColumn<uint>("PredictedLabel")];
        for (int i = 0; i < scores.Length; i++)
        {
            Assert.AreEqual(1, scores[i].Sum(), 1e-5);
            Assert.AreEqual((uint)(Array.IndexOf(scores[i], scores[i].Max()) + 1), predicted[i]);
        }
    }

    [TestMethod]
    [DataRow(1f)]
    [DataRow(0.01f)]
    [DataRow(30f)]
    public void With_squared_weights_the_gradient_vanishes(float l2)
    {
        Row[] rows = Blobs(60, spread: 2);
        var model = Train(rows, l1: 0, l2);
        double[] gradient = Gradient(rows, model, l2);
        Assert.IsLessThan(2e-3, gradient.Max(Math.Abs));
    }

    [TestMethod]
    public void Random_starting_weights_follow_the_seed()
    {
        var options = new LbfgsMaximumEntropyMulticlassTrainer.Options { InitialWeightsDiameter = 1, NumberOfThreads = 1 };
        var model = new MLContext(seed: 3).MulticlassClassification.Trainers.LbfgsMaximumEntropy(options).Fit(Keyed(Blobs(60, spread: 2))).Model;
        // Training moves the biases but not their sum.
        Assert.AreEqual(0.63445f, model.GetBiases().Sum(), 1e-4);
    }

    [TestMethod]
    public void With_absolute_weights_zero_is_in_the_subgradient()
    {
        const float L1 = 3;
        Row[] rows = Blobs(60, spread: 2);
        var model = Train(rows, L1, l2: 0.5f);
        (double[] parameters, double[] gradient) = (Parameters(model), Gradient(rows, model, 0.5f));
        const double Price = L1 / 60.0;
        for (int i = 0; i < parameters.Length; i++)
        {
            if (i < Classes)
                Assert.AreEqual(0, gradient[i], 2e-3, "biases cost nothing");
            else if (parameters[i] != 0)
                Assert.AreEqual(-Price * Math.Sign(parameters[i]), gradient[i], 2e-3);
            else
                Assert.IsLessThan(Price + 2e-3, Math.Abs(gradient[i]));
        }

        Assert.IsGreaterThan(0, parameters.Skip(Classes).Count(w => w == 0));
    }

    [TestMethod]
    public void Weights_can_be_kept_from_being_negative()
    {
        var model = Fit(Blobs(60, spread: 2), new() { L1Regularization = 0.1f, EnforceNonNegativity = true });
        Assert.IsGreaterThanOrEqualTo(0, Parameters(model).Skip(Classes).Min());
    }

    [TestMethod]
    public void An_example_of_weight_two_counts_like_two_examples()
    {
        Row[] rows = Blobs(30, spread: 2);
        for (int i = 0; i < rows.Length; i += 3)
            rows[i].Weight = 2;
        Row[] twice = [.. rows.SelectMany(row => row.Weight == 2 ? new[] { row, row } : [row])];
        var options = new LbfgsMaximumEntropyMulticlassTrainer.Options { L1Regularization = 0, OptimizationTolerance = 1e-9f };
        double[] unweighted = Parameters(Fit(twice, options));
        options.ExampleWeightColumnName = nameof(Row.Weight);
        double[] weighted = Parameters(Fit(rows, options));
        for (int i = 0; i < weighted.Length; i++)
            Assert.AreEqual(unweighted[i], weighted[i], 0.02);
    }

    [TestMethod]
    public void Rows_that_lack_something_are_passed_over()
    {
        Row[] rows = Blobs(30, spread: 2);
        Row[] more = [.. rows, new Row { Label = 0, Features = [float.NaN, 0, 0, 0] }, new Row { Label = Classes, Features = [1e6f, 0, 0, 0] }];
        double[] expected = Parameters(Train(rows, 0, 1));
        double[] found = Parameters(Train(more, 0, 1));
        for (int i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 1e-4);
        Assert.ThrowsExactly<InvalidOperationException>(() => Train(more[^2..], 0, 1));
    }

    [TestMethod]
    public void Training_goes_on_from_a_model()
    {
        IDataView data = Keyed(Blobs(60, spread: 2));
        var trainer = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0);
        var first = trainer.Fit(data);
        var second = trainer.Fit(data, first.Model);
        double[] expected = Parameters(first.Model);
        double[] found = Parameters(second.Model);
        for (int i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 0.05);
    }

    [TestMethod]
    public void Columns_must_be_there_and_of_the_right_types()
    {
        var trainers = _ml.MulticlassClassification.Trainers;
        IDataView data = Keyed(Blobs(30, spread: 1));
        var exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainers.LbfgsMaximumEntropy("Label", "Nothing").Fit(data));
        StringAssert.Contains(exception.Message, "Could not find feature column 'Nothing'");
        exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainers.LbfgsMaximumEntropy("Nothing").Fit(data));
        StringAssert.Contains(exception.Message, "Could not find label column 'Nothing'");
        exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainers.LbfgsMaximumEntropy("Weight").Fit(data));
        StringAssert.Contains(exception.Message, "expected Key<UInt32>, got Single");
        exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainers.LbfgsMaximumEntropy("Label", "Weight").Fit(data));
        StringAssert.Contains(exception.Message, "expected Vector<Single>, got Single");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainers.LbfgsMaximumEntropy(l2Regularization: -1));
    }

    private MaximumEntropyModelParameters Train(Row[] rows, float l1, float l2) =>
        Fit(rows, new() { L1Regularization = l1, L2Regularization = l2, OptimizationTolerance = 1e-9f });

    private MaximumEntropyModelParameters Fit(Row[] rows, LbfgsMaximumEntropyMulticlassTrainer.Options options) =>
        _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(options).Fit(Keyed(rows)).Model;

    private IDataView Keyed(Row[] rows) => _ml.Data.LoadFromEnumerable(rows);

    /// <summary>Around (1, 0, 0, .), (0, 1, 0, .), (0, 0, 1, .), times 4; the last feature is noise.</summary>
    private static Row[] Blobs(int count, float spread)
    {
        var random = new Random(7);
        return
        [
            .. Enumerable.Range(0, count).Select(i =>
            {
                var features = new float[Features];
                for (int j = 0; j < Features; j++)
                    features[j] = (j == i % Classes ? 4 : 0) + (spread * (float)((random.NextDouble() * 2) - 1));
                return new Row { Label = (uint)(i % Classes), Features = features };
            }),
        ];
    }

    private static double[] Parameters(MaximumEntropyModelParameters model)
    {
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out int classes);
        Assert.AreEqual(Classes, classes);
        return [.. model.GetBiases().Select(b => (double)b), .. weights.SelectMany(w => w.DenseValues()).Select(w => (double)w)];
    }

    /// <summary>Of the mean cross-entropy plus half the squared weights times the regularisation over the number of rows.</summary>
    private static double[] Gradient(Row[] rows, MaximumEntropyModelParameters model, double l2)
    {
        double[] parameters = Parameters(model);
        var gradient = new double[parameters.Length];
        foreach (Row row in rows)
        {
            double[] scores = [.. Enumerable.Range(0, Classes).Select(k =>
                parameters[k] + Enumerable.Range(0, Features).Sum(j => parameters[Classes + (k * Features) + j] * row.Features[j]))];
            double z = scores.Sum(Math.Exp);
            for (int k = 0; k < Classes; k++)
            {
                double slope = (Math.Exp(scores[k]) / z) - (row.Label == k ? 1 : 0);
                gradient[k] += slope;
                for (int j = 0; j < Features; j++)
                    gradient[Classes + (k * Features) + j] += slope * row.Features[j];
            }
        }

        for (int i = 0; i < gradient.Length; i++)
            gradient[i] = (gradient[i] + (i < Classes ? 0 : l2 * parameters[i])) / rows.Length;
        return gradient;
    }

    private sealed class Row
    {
        /// <summary>From zero; what is too great is missing.</summary>
        [KeyType(Classes)]
        public uint Label { get; set; }

        [VectorType(LbfgsTests.Features)]
        public float[] Features { get; set; } = [];

        public float Weight { get; set; } = 1;
    }
}
