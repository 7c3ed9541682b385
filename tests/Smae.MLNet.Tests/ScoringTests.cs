using System.Collections.Concurrent;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>The core that all transformers score with: what it reads when, and on which threads.</summary>
[TestClass]
public sealed class ScoringTests : EmbeddingFixture
{
    [TestMethod]
    public void The_next_batch_is_read_while_one_is_scored_and_no_more()
    {
        var counting = new CountingDataView(Images);
        using var entered = new SemaphoreSlim(0);
        using var leave = new SemaphoreSlim(0);
        var model = new ProbeModel { OnRun = _ =>
        {
            entered.Release();
            leave.Wait();
        } };
        var reading = Task.Run(() => Read<SumRow>(Scorer(model).Transform(counting)));
        foreach (int rows in new[] { 4, 4 + 16 + 64 })
        {
            entered.Wait();
            // The first batch has nothing read ahead; the second is being scored here, the third is read beside it.
            Assert.IsTrue(SpinWait.SpinUntil(() => counting.Rows >= rows, TimeSpan.FromMinutes(1)));
            Assert.AreEqual(rows, counting.Rows);
            leave.Release();
        }
        leave.Release(10);
        Assert.HasCount(Count, reading.Result);
        CollectionAssert.AreEqual(new[] { 4, 16, 64, 64, 2 }, model.Batches);
    }

    [TestMethod]
    public void Rows_keep_their_order_and_every_column_its_row()
    {
        var rows = Read<SumRow>(Scorer(new ProbeModel(), batchSize: 7).Transform(Images));
        Assert.HasCount(Count, rows);
        CollectionAssert.AreEqual(Read<PathRow>(Images).Select(row => row.ImagePath).ToArray(), rows.Select(row => row.ImagePath).ToArray());
        byte[] pixels = new byte[TestModels.Preprocessing.ByteCount];
        foreach (var row in rows)
        {
            Assert.IsNull(new ImageDecoders(TestModels.Preprocessing).Rent().DecodeFile(row.ImagePath, pixels));
            Assert.AreEqual(pixels.Sum(value => (float)value), row.Sum[0], row.ImagePath);
            Assert.AreEqual(-row.Sum[0], row.Negative[0]);
        }
    }

    [TestMethod]
    public void Disposing_a_cursor_ends_what_it_reads_ahead()
    {
        var read = new ConcurrentQueue<int>();
        IEnumerable<PathRow> Endless()
        {
            for (int i = 0; ; i++)
            {
                read.Enqueue(i);
                yield return new PathRow { ImagePath = AnyImage() };
            }
        }

        var scored = Scorer(new ProbeModel()).Transform(Context.Data.LoadFromEnumerable(Endless()));
        using (var cursor = scored.GetRowCursor([scored.Schema["Sum"]]))
        {
            for (int i = 0; i < 10; i++)
                Assert.IsTrue(cursor.MoveNext());
        }
        int after = read.Count;
        Assert.IsLessThanOrEqualTo(4 + 16 + 64, after);
        Assert.HasCount(Count, Read<SumRow>(Scorer(new ProbeModel()).Transform(Images)), "Work during which it could read on.");
        Assert.AreEqual(after, read.Count);
    }

    [TestMethod]
    public void An_error_of_the_model_comes_to_the_reader_and_ends_the_rows()
    {
        var model = new ProbeModel { OnRun = count =>
        {
            if (count == 16)
                throw new InvalidOperationException("the model broke");
        } };
        var scored = Scorer(model).Transform(Images);
        using var cursor = scored.GetRowCursor([scored.Schema["Sum"]]);
        for (int i = 0; i < 4; i++)
            Assert.IsTrue(cursor.MoveNext());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => cursor.MoveNext()).Message, "the model broke");
        Assert.IsFalse(cursor.MoveNext());
    }

    [TestMethod]
    public void Images_that_ml_net_disposes_are_taken_over_in_time()
    {
        var loaded = Context.Transforms.LoadImages("Image", "", "ImagePath").Fit(Images).Transform(Images);
        var expected = Read<SumRow>(Scorer(new ProbeModel()).Transform(Images));
        var found = Read<SumRow>(Scorer(new ProbeModel(), "Image").Transform(loaded));
        for (int i = 0; i < Count; i++)
            Assert.AreEqual(expected[i].Sum[0], found[i].Sum[0], expected[i].ImagePath);
    }

    [TestMethod]
    public void Several_columns_of_images_get_an_embedding_each()
    {
        var paths = Read<PathRow>(Images);
        var data = Context.Data.LoadFromEnumerable(paths.Zip(paths.AsEnumerable().Reverse())
            .Select(pair => new PairRow { Left = pair.First.ImagePath, Right = pair.Second.ImagePath }).ToList());
        var estimator = Context.Transforms.MaeEmbedding(
            [new InputOutputColumnPair("LeftEmbedding", "Left"), new InputOutputColumnPair("RightEmbedding", "Right")], Encoder);
        var rows = Read<PairEmbeddings>(estimator.Fit(data).Transform(data));
        Assert.HasCount(Count, rows);
        for (int i = 0; i < Count; i++)
            AssertClose(rows[i].LeftEmbedding, rows[^(i + 1)].RightEmbedding, $"row {i}");
        AssertClose(Expected(paths[0].ImagePath), rows[0].LeftEmbedding, "left");
        Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.MaeEmbedding([], Encoder));
    }

    private ImageTransformer Scorer(ImageModel model, string column = "ImagePath", int batchSize = ImageScoring.DefaultBatchSize)
    {
        var host = CatalogEnvironment.Of(Context.Transforms).Register("Test");
        OutputColumn[] outputs = [new PartOutput("Sum", 0), new PartOutput("Negative", 1)];
        return new ProbeTransformer(new ImageScoring(
            host, column, ImageColumnKind.Path, new ImageDecoders(model.Preprocessing), model, outputs, BrokenImagePolicy.Skip, "nothing", batchSize));
    }

    private sealed class ProbeTransformer(ImageScoring scoring) : ImageTransformer(scoring)
    {
        private protected override void Save(SavedChain chain, ModelSaveContext context) => throw new NotSupportedException();
    }

    /// <summary>One of the model's numbers as a vector.</summary>
    private sealed class PartOutput(string name, int at) : OutputColumn(name, new VectorDataViewType(NumberDataViewType.Single, 1))
    {
        public override Delegate Getter(RowScores scores, RowProblem problem) =>
            (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => value = new VBuffer<float>(1, [scores()[at]]));
    }

    /// <summary>Gives the sum of an image's bytes, and the same below zero.</summary>
    private sealed class ProbeModel() : ImageModel(TestModels.Preprocessing, 2)
    {
        public Action<int>? OnRun { get; init; }

        public List<int> Batches { get; } = [];

        public override SavedOutput WriteOnnx(string path) => throw new NotSupportedException();

        protected override void Score(ReadOnlySpan<byte> images, int count, Span<float> outputs)
        {
            Batches.Add(count);
            OnRun?.Invoke(count);
            for (int i = 0; i < count; i++)
            {
                float sum = 0;
                foreach (byte value in images.Slice(i * Preprocessing.ByteCount, Preprocessing.ByteCount))
                    sum += value;
                (outputs[2 * i], outputs[2 * i + 1]) = (sum, -sum);
            }
        }
    }

    private sealed class SumRow
    {
        public string ImagePath { get; set; } = "";

        [VectorType(1)]
        public float[] Sum { get; set; } = [];

        [VectorType(1)]
        public float[] Negative { get; set; } = [];
    }

    private sealed class PairRow
    {
        public string Left { get; set; } = "";

        public string Right { get; set; } = "";
    }

    private sealed class PairEmbeddings
    {
        [VectorType(TestModels.Width)]
        public float[] LeftEmbedding { get; set; } = [];

        [VectorType(TestModels.Width)]
        public float[] RightEmbedding { get; set; } = [];
    }
}
