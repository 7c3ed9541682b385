using Parquet;
using Parquet.Schema;

namespace Smae.MLNet.Tests;

/// <summary>Embeddings in Parquet files: what is written comes back, in memory that does not grow, and a wrong file is told by its name.</summary>
[TestClass]
public sealed class EmbeddingFileTests : EmbeddingFixture
{
    private string File1 => At("embeddings.parquet");

    [TestMethod]
    public void Embeddings_labels_and_errors_come_back_as_they_were()
    {
        File.WriteAllText(At("square", "broken.png"), "no picture");
        var images = Context.Data.LoadImageFolder(At());
        using var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder, errorColumnName: "Error").Fit(images);
        var embedded = transformer.Transform(images);
        List<Row> expected = Read<Row>(embedded);
        Assert.AreEqual(Count + 1, Context.Data.SaveEmbeddings(embedded, File1));

        var loaded = Context.Data.LoadEmbeddings(File1);
        Assert.AreEqual(Count + 1, loaded.GetRowCount());
        CollectionAssert.AreEqual(new[] { "ImagePath", "Embedding", "Label", "Error" }, loaded.Schema.Select(c => c.Name).ToArray());
        Assert.AreEqual(embedded.Schema["Embedding"].Type, loaded.Schema["Embedding"].Type);
        List<Row> found = Read<Row>(loaded);
        Assert.HasCount(expected.Count, found);
        foreach ((Row one, Row other) in expected.Zip(found))
        {
            Assert.AreEqual((one.ImagePath, one.Label, one.Error), (other.ImagePath, other.Label, other.Error));
            CollectionAssert.AreEqual(one.Embedding, other.Embedding);
        }
        Row broken = found.Single(row => row.Error.Length > 0);
        StringAssert.Contains(broken.Error, "not an image");
        Assert.IsTrue(broken.ImagePath.EndsWith("broken.png") && broken.Label == "square" && broken.Embedding.All(float.IsNaN));
        Assert.AreEqual(broken.ImagePath, Context.Data.FilterRowsByMissingValues(loaded, "Embedding").GetColumn<string>("ImagePath")
            .Aggregate(found.Select(row => row.ImagePath).ToHashSet(), (left, path) => { left.Remove(path); return left; }).Single());
    }

    [TestMethod]
    public void A_file_is_written_and_read_a_row_group_at_a_time()
    {
        const int rows = 5000, length = 1024;   // 2,048 rows are 8 MiB
        var data = Wide(rows, length);
        List<long> told = [];
        Context.Data.SaveEmbeddings(data, File1, new Told(told));
        CollectionAssert.AreEqual(new long[] { 2048, 4096, 5000 }, told);
        int at = 0;
        using DataViewRowCursor cursor = Context.Data.LoadEmbeddings(File1).GetRowCursor(Context.Data.LoadEmbeddings(File1).Schema);
        var embeddings = cursor.GetGetter<VBuffer<float>>(cursor.Schema["Embedding"]);
        var paths = cursor.GetGetter<ReadOnlyMemory<char>>(cursor.Schema["ImagePath"]);
        VBuffer<float> embedding = default;
        ReadOnlyMemory<char> path = default;
        for (; cursor.MoveNext(); at++)
        {
            embeddings(ref embedding);
            paths(ref path);
            Assert.AreEqual(at, cursor.Position);
            Assert.AreEqual($"{at}", path.ToString());
            if (at % 1000 == 7) Assert.IsTrue(embedding.DenseValues().All(float.IsNaN), $"row {at} has none");
            else Assert.AreEqual((at, at + 1023f), (embedding.GetValues()[0], embedding.GetValues()[1023]));
        }
        Assert.AreEqual(rows, at);
        Assert.IsFalse(cursor.MoveNext());
    }

    [TestMethod]
    public void Lists_are_encoded_in_the_standard_three_levels()
    {
        Context.Data.SaveEmbeddings(Wide(10, 3), File1);
        using var stream = File.OpenRead(File1);
        using var reader = new AsyncReader(ParquetReader.CreateAsync(stream).Result);
        CollectionAssert.AreEqual(new[] { "path", "embedding", "list", "element" }, reader.Value.Metadata!.Schema.Skip(1).Select(e => e.Name).ToArray());
        Assert.AreEqual("LIST", $"{reader.Value.Metadata.Schema[2].ConvertedType}");
    }

    [TestMethod]
    public void A_folder_is_read_in_the_order_of_its_files_names_and_other_files_are_passed_over()
    {
        foreach (int i in new[] { 2, 0, 1 }) Context.Data.SaveEmbeddings(Wide(i + 1, 4), At("parts", $"part-{i}.parquet"));
        File.WriteAllText(At("parts", "run.json"), "{}");
        var loaded = Context.Data.LoadEmbeddings(At("parts"));
        Assert.AreEqual(6, loaded.GetRowCount());
        CollectionAssert.AreEqual(new[] { "0", "0", "1", "0", "1", "2" }, loaded.GetColumn<string>("ImagePath").ToArray());
    }

    [TestMethod]
    public void Trainers_of_ML_NET_learn_from_a_file()
    {
        using var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        Context.Data.SaveEmbeddings(transformer.Transform(Images), File1);
        var loaded = Context.Data.LoadEmbeddings(File1);
        var model = Context.Transforms.Conversion.MapValueToKey("Label").AppendCacheCheckpoint(Context)
            .Append(Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding")).Fit(loaded);
        Assert.IsGreaterThan(0.6, Context.MulticlassClassification.Evaluate(model.Transform(loaded)).MicroAccuracy);
    }

    [TestMethod]
    public async Task A_file_of_another_program_is_read_too()
    {
        // Elements that may be null, as pandas writes them, an empty list beside a null one, no paths, nothing that tells the length.
        var list = new ListField("embedding", new DataField<float>("item", true));
        var id = new DataField<int>("id", false);
        await using (var stream = File.Create(File1))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(list, id), stream))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAllPartsAsync<float>((DataField)list.Item, new float[] { 1, 2, 4 }, new int[] { 0, 3, 3, 1, 2, 3 }, new int[] { 0, 0, 1, 0, 0, 1 }, default);
            await group.WriteAsync(id, new ReadOnlyMemory<int>([1, 2, 3, 4]));
        }
        float[][] found = [.. Context.Data.LoadEmbeddings(File1).GetColumn<float[]>("Embedding")];
        CollectionAssert.AreEqual(new[] { float.NaN, float.NaN, 1, 2, float.NaN, float.NaN, float.NaN, 4 }, found.SelectMany(e => e).ToArray());
        CollectionAssert.AreEqual(new[] { "", "", "", "" }, Context.Data.LoadEmbeddings(File1).GetColumn<string>("Error").ToArray());
    }

    [TestMethod]
    public async Task Doubles_are_read_as_floats()
    {
        // What pandas and DuckDB write of numbers that nobody made floats.
        var list = new ListField("embedding", new DataField<double>("element", true));
        await using (var stream = File.Create(File1))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(list), stream))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAllPartsAsync<double>(
                (DataField)list.Item, new double[] { 0.25, 0.1, 4 }, new int[] { 3, 3, 0, 2, 3 }, new int[] { 0, 1, 0, 0, 1 }, default);
        }
        float[][] found = [.. Context.Data.LoadEmbeddings(File1).GetColumn<float[]>("Embedding")];
        CollectionAssert.AreEqual(new[] { 0.25f, 0.1f, float.NaN, float.NaN, float.NaN, 4 }, found.SelectMany(e => e).ToArray());
    }

    [TestMethod]
    public async Task A_repeated_number_without_a_list_around_it_is_read()
    {
        var numbers = new DataField("embedding", typeof(float), false, true);
        await using (var stream = File.Create(File1))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(numbers), stream))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAllPartsAsync<float>(numbers, new float[] { 1, 2, 3, 4 }, new int[] { 1, 1, 0, 1, 1 }, new int[] { 0, 1, 0, 0, 1 }, default);
        }
        float[][] found = [.. Context.Data.LoadEmbeddings(File1).GetColumn<float[]>("Embedding")];
        CollectionAssert.AreEqual(new[] { 1, 2, float.NaN, float.NaN, 3, 4 }, found.SelectMany(e => e).ToArray());
    }

    [TestMethod]
    public void Of_a_folder_extensions_of_any_case_count_and_names_with_a_dot_or_an_underscore_in_front_do_not()
    {
        Context.Data.SaveEmbeddings(Wide(2, 4), At("parts", "b.parquet"));
        Context.Data.SaveEmbeddings(Wide(1, 4), At("parts", "A.PARQUET"));
        foreach (string other in new[] { "_SUCCESS", "_metadata", "_temporary.parquet", "._b.parquet", ".b.parquet.crc" })
            File.WriteAllText(At("parts", other), "no rows");
        CollectionAssert.AreEqual(new[] { "0", "0", "1" }, Context.Data.LoadEmbeddings(At("parts")).GetColumn<string>("ImagePath").ToArray());
    }

    [TestMethod]
    public async Task A_column_of_another_type_and_a_list_of_another_length_are_told_as_what_they_are()
    {
        await Write(new ListField("embedding", new DataField<int>("element", false)), group: null);
        AssertFault<InvalidDataException>(File1, "its column 'embedding' holds a list of Int32: expected a list of floats or doubles");
        await Write(new DataField<string>("embedding", false), group: null);
        AssertFault<InvalidDataException>(File1, "its column 'embedding' holds text");
        await Write(new DataField<float>("embeddings", false), group: null);
        AssertFault<InvalidDataException>(File1, "no column 'embedding': its columns are 'embeddings'");
        var list = new ListField("embedding", new DataField<float>("element", false));
        await Write(list, group => group.WriteAllPartsAsync<float>((DataField)list.Item, new float[] { 1, 2, 3 }, new int[] { 2, 2, 2 }, new int[] { 0, 1, 0 }, default));
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Context.Data.LoadEmbeddings(File1).GetColumn<float[]>("Embedding").Count());
        StringAssert.Contains(error.Message, "embeddings.parquet: the embedding of row 1 of row group 0 has 1 numbers, expected 2");
        Assert.IsFalse(error.Message.Contains("damaged"), error.Message);

        async Task Write(Field field, Func<ParquetRowGroupWriter, Task>? group)
        {
            await using var stream = File.Create(File1);
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream);
            if (group is null) return;
            using ParquetRowGroupWriter rows = writer.CreateRowGroup();
            await group(rows);
        }
    }

    [TestMethod]
    public void What_cannot_be_read_is_told_by_its_name()
    {
        AssertFault<FileNotFoundException>(At("none.parquet"), "none.parquet");
        Directory.CreateDirectory(At("empty"));
        AssertFault<FileNotFoundException>(At("empty"), "*.parquet");
        File.WriteAllText(At("text.parquet"), "hello, I am text, and long enough for a footer");
        AssertFault<InvalidDataException>(At("text.parquet"), "text.parquet");
        Context.Data.SaveEmbeddings(Wide(100, 8), File1);
        File.WriteAllBytes(At("cut.parquet"), File.ReadAllBytes(File1)[..500]);
        AssertFault<InvalidDataException>(At("cut.parquet"), "cut.parquet");
        Context.Data.SaveEmbeddings(Wide(3, 8), At("mixed", "a.parquet"));
        Context.Data.SaveEmbeddings(Wide(3, 9), At("mixed", "b.parquet"));
        AssertFault<InvalidDataException>(At("mixed"), "b.parquet: its embeddings have 9 numbers", "8");

        var lengths = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Context.Data.SaveEmbeddings(Images, File1));
        StringAssert.Contains(lengths.Message, "'Embedding'");
        var keys = Context.Transforms.Conversion.MapValueToKey("Label", "ImagePath").Fit(Wide(3, 4)).Transform(Wide(3, 4));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Context.Data.SaveEmbeddings(keys, File1)).Message, "MapKeyToValue");
    }

    [TestMethod]
    public void A_damaged_file_gives_rows_or_InvalidDataException()
    {
        Context.Data.SaveEmbeddings(Wide(40, 5), File1);
        byte[] whole = File.ReadAllBytes(File1);
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 300; i++)
        {
            byte[] bytes = [.. whole];
            for (int change = 0; change <= i % 3; change++) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(At("damaged.parquet"), i % 10 == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
            try
            {
                Context.Data.LoadEmbeddings(At("damaged.parquet")).GetColumn<float[]>("Embedding").Count();
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.IsGreaterThan(30, refused);
    }

    [TestMethod]
    public void Cancelling_leaves_what_was_there()
    {
        Context.Data.SaveEmbeddings(Wide(3, 4), File1);
        using var cancellation = new CancellationTokenSource();
        IEnumerable<WideRow> Rows()
        {
            for (int i = 0; i < 1000; i++)
            {
                if (i == 500) cancellation.Cancel();
                yield return new WideRow { ImagePath = $"{i}", Embedding = new float[4] };
            }
        }
        Assert.ThrowsExactly<OperationCanceledException>(
            () => Context.Data.SaveEmbeddings(Context.Data.LoadFromEnumerable(Rows(), Schema(4)), File1, cancellationToken: cancellation.Token));
        Assert.AreEqual(3, Context.Data.LoadEmbeddings(File1).GetRowCount());
        Assert.HasCount(1, Directory.GetFiles(At(), "embeddings*"));
    }

    [TestMethod]
    public void Why_an_image_is_broken_is_a_column_in_batches_and_single_rows()
    {
        Encoder.ExportOnnx(At("encoder.onnx"));
        File.WriteAllText(At("broken.png"), "no picture");
        var data = Context.Data.LoadFromEnumerable<PathRow>([new() { ImagePath = AnyImage() }, new() { ImagePath = At("broken.png") }]);
        using var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", At("encoder.onnx"), errorColumnName: "Why").Fit(data);
        string[] why = [.. transformer.Transform(data).GetColumn<string>("Why")];
        Assert.AreEqual("", why[0]);
        StringAssert.Contains(why[1], "broken.png: not an image");
        using var engine = Context.Model.CreatePredictionEngine<PathRow, WhyRow>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.AreEqual(why[1], engine.Predict(new PathRow { ImagePath = At("broken.png") }).Why);
        Assert.AreEqual("", engine.Predict(new PathRow { ImagePath = AnyImage() }).Why);
        Context.Model.Save(transformer, data.Schema, At("model.zip"));
        Assert.IsNull(new MLContext().Model.Load(At("model.zip"), out _).GetOutputSchema(data.Schema).GetColumnOrNull("Why"), "ML.NET's own transformers know no reason");
        var error = Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder, errorColumnName: "Embedding"));
        StringAssert.Contains(error.Message, "'Embedding'");
    }

    private IDataView Wide(int rows, int length) => Context.Data.LoadFromEnumerable(
        Enumerable.Range(0, rows).Select(i => new WideRow
        {
            ImagePath = $"{i}", Embedding = [.. Enumerable.Range(0, length).Select(k => i % 1000 == 7 ? float.NaN : i + k)],
        }), Schema(length));

    private static SchemaDefinition Schema(int length)
    {
        var schema = SchemaDefinition.Create(typeof(WideRow));
        schema["Embedding"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, length);
        return schema;
    }

    private void AssertFault<T>(string path, params string[] words) where T : Exception
    {
        var error = Assert.ThrowsExactly<T>(() => Context.Data.LoadEmbeddings(path).GetColumn<float[]>("Embedding").Count());
        foreach (string word in words) StringAssert.Contains(error.Message, word);
    }

    private sealed class Told(List<long> rows) : IProgress<long>
    {
        public void Report(long value) => rows.Add(value);
    }

    private sealed class AsyncReader(ParquetReader reader) : IDisposable
    {
        public ParquetReader Value => reader;

        public void Dispose() => reader.DisposeAsync().AsTask().Wait();
    }

    private sealed class WideRow
    {
        public string ImagePath { get; set; } = "";

        public float[] Embedding { get; set; } = [];
    }

    private sealed class WhyRow
    {
        public string Why { get; set; } = "";
    }

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";

        public string Error { get; set; } = "";

        [VectorType(TestModels.Width)]
        public float[] Embedding { get; set; } = [];
    }
}
