using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Models of ONNX as transformers.</summary>
[TestClass]
public class OnnxTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly ImagesFolder _folder = new();

    [TestCleanup]
    public void RemoveFolder() => _folder.Dispose();

    [TestMethod]
    public void Each_row_is_a_batch_of_one()
    {
        using var model = _ml.Transforms.ApplyOnnxModel("Y", "X", Doubler()).Fit(Data(3));
        IDataView scored = model.Transform(Data(3));
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, 4), scored.Schema["Y"].Type);
        float[][] rows = [.. scored.GetColumn<float[]>("Y")];
        Assert.HasCount(3, rows);
        for (int i = 0; i < 3; i++)
            CollectionAssert.AreEqual(new float[] { 2 * i, 2, 4, 6 }, rows[i]);
    }

    [TestMethod]
    public void Without_names_all_inputs_and_outputs_are_columns()
    {
        string path = Write(new OnnxFile()
            .Input("A", OnnxFile.Single, "N", 2).Input("B", OnnxFile.Single, "N", 2)
            .Node("Add", ["A", "B"], "Sum").Node("Mul", ["A", "B"], "Product")
            .Output("Sum", OnnxFile.Single, "N", 2).Output("Product", OnnxFile.Single, "N", 2));
        IDataView data = _ml.Data.LoadFromEnumerable([new PairRow { A = [1, 2], B = [3, 4] }, new PairRow { A = [5, 6], B = [7, 8] }]);
        using var model = _ml.Transforms.ApplyOnnxModel(path).Fit(data);
        IDataView scored = model.Transform(data);
        CollectionAssert.AreEqual(new float[] { 4, 6, 12, 14 }, scored.GetColumn<float[]>("Sum").SelectMany(v => v).ToArray());
        CollectionAssert.AreEqual(new float[] { 3, 8, 35, 48 }, scored.GetColumn<float[]>("Product").SelectMany(v => v).ToArray());
        using var engine = _ml.Model.CreatePredictionEngine<PairRow, SumRow>(model);
        CollectionAssert.AreEqual(new float[] { 11, 22 }, engine.Predict(new PairRow { A = [1, 2], B = [10, 20] }).Sum);
        CollectionAssert.AreEqual(new float[] { 12, 23 }, engine.Predict(new PairRow { A = [2, 3], B = [10, 20] }).Sum);
    }

    [TestMethod]
    public void Streams_do_as_models()
    {
        using var stream = new MemoryStream(File.ReadAllBytes(Doubler()));
        using var model = _ml.Transforms.ApplyOnnxModel(["Y"], ["X"], stream).Fit(Data(1));
        CollectionAssert.AreEqual(new float[] { 0, 2, 4, 6 }, model.Transform(Data(1)).GetColumn<float[]>("Y").Single());
    }

    [TestMethod]
    public void Options_do_the_same()
    {
        var options = new OnnxOptions { ModelFile = Doubler(), InputColumns = ["X"], OutputColumns = ["Y"], IntraOpNumThreads = 1 };
        Assert.AreEqual(100, options.RecursionLimit);
        using var model = _ml.Transforms.ApplyOnnxModel(options).Fit(Data(1));
        CollectionAssert.AreEqual(new float[] { 0, 2, 4, 6 }, model.Transform(Data(1)).GetColumn<float[]>("Y").Single());
    }

    [TestMethod]
    public void Shapes_can_be_given()
    {
        string path = Write(new OnnxFile()
            .Input("X", OnnxFile.Single, "N", "H", "W").Node("Neg", ["X"], "Y").Output("Y", OnnxFile.Single, "N", "H", "W"));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(Data(1)));
        var shapes = new Dictionary<string, int[]> { ["X"] = [1, 2, 2], ["Y"] = [1, 2, 2] };
        using var model = _ml.Transforms.ApplyOnnxModel("Y", "X", path, shapes).Fit(Data(1));
        IDataView scored = model.Transform(Data(1));
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, 2, 2), scored.Schema["Y"].Type);
        CollectionAssert.AreEqual(new float[] { 0, -1, -2, -3 }, scored.GetColumn<float[]>("Y").Single());
        shapes["X"] = [1, 4];
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", path, shapes));
    }

    [TestMethod]
    public void One_unknown_dimension_leaves_the_size_of_the_column_open()
    {
        string path = Write(new OnnxFile().Input("X", OnnxFile.Single, 1, "W").Node("Neg", ["X"], "Y").Output("Y", OnnxFile.Single, 1, "W"));
        IDataView data = _ml.Data.LoadFromEnumerable([new OpenRow { X = [1, 2] }, new OpenRow { X = [3, 4, 5] }]);
        using var model = _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(data);
        IDataView scored = model.Transform(data);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single), scored.Schema["Y"].Type);
        CollectionAssert.AreEqual(new float[] { -1, -2, -3, -4, -5 }, scored.GetColumn<float[]>("Y").SelectMany(v => v).ToArray());
    }

    [TestMethod]
    public void Saved_models_hold_the_file()
    {
        string path = Doubler();
        var model = _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(Data(2));
        _ml.Model.Save(model, Data(2).Schema, _folder.At("model.zip"));
        model.Dispose();
        File.Delete(path);
        ITransformer loaded = new MLContext().Model.Load(_folder.At("model.zip"), out _);
        float[][] rows = [.. loaded.Transform(Data(2)).GetColumn<float[]>("Y")];
        CollectionAssert.AreEqual(new float[] { 2, 2, 4, 6 }, rows[1]);
        (loaded as IDisposable)?.Dispose();
    }

    [TestMethod]
    public void A_model_that_lost_its_file_cannot_be_saved()
    {
        string path = Doubler();
        using var model = _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(Data(1));
        File.Delete(path);
        Assert.ThrowsExactly<FileNotFoundException>(() => _ml.Model.Save(model, Data(1).Schema, new MemoryStream()));
    }

    [TestMethod]
    public void Slots_are_named_by_a_node()
    {
        string path = Write(new OnnxFile()
            .Input("X", OnnxFile.Single, "N", 4).Node("Neg", ["X"], "Y").Output("Y", OnnxFile.Single, "N", 4).SlotNames("Y", "a", "b", "c", "d"));
        using var model = _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(Data(1));
        IDataView scored = model.Transform(Data(1));
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["Y"].GetSlotNames(ref names);
        CollectionAssert.AreEqual(new[] { "a", "b", "c", "d" }, names.DenseValues().Select(name => name.ToString()).ToArray());
        CollectionAssert.AreEqual(new float[] { 0, -1, -2, -3 }, scored.GetColumn<float[]>("Y").Single());
    }

    [TestMethod]
    public void Session_options_come_from_the_context()
    {
        int asked = 0;
        ((IHostEnvironment)_ml).SetOnnxSessionOption(new OnnxSessionOptions
        {
            CreateSessionOptions = () =>
            {
                asked++;
                return new SessionOptions { IntraOpNumThreads = 1 };
            },
        });
        using var model = _ml.Transforms.ApplyOnnxModel("Y", "X", Doubler()).Fit(Data(1));
        Assert.AreEqual(1, asked);
        CollectionAssert.AreEqual(new float[] { 0, 2, 4, 6 }, model.Transform(Data(1)).GetColumn<float[]>("Y").Single());
    }

    [TestMethod]
    public void What_cannot_be_a_model_is_refused()
    {
        Assert.ThrowsExactly<IOException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", _folder.At("missing.onnx")));
        string text = _folder.Write("text.onnx", "no model"u8.ToArray());
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", text));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Nothing", "X", Doubler()));
    }

    [TestMethod]
    public void Columns_must_be_those_of_the_model()
    {
        string path = Doubler();
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Y", "Z", path).Fit(Data(1)));
        IDataView other = _ml.Data.LoadFromEnumerable([new PairRow { A = [1, 2], B = [3, 4] }]);
        var exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(other));
        StringAssert.Contains(exception.Message, "Could not find input column 'X'");
        IDataView bytes = _ml.Data.LoadFromEnumerable([new ByteRow { X = [1, 2, 3, 4] }]);
        exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(bytes));
        StringAssert.Contains(exception.Message, "Schema mismatch for input column 'X'");
        IDataView three = _ml.Data.LoadFromEnumerable([new ThreeRow { X = [1, 2, 3] }]);
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.ApplyOnnxModel("Y", "X", path).Fit(three));
    }

    private string Doubler() =>
        Write(new OnnxFile()
            .Input("X", OnnxFile.Single, "N", 4).Constant("Two", 2).Node("Mul", ["X", "Two"], "Y").Output("Y", OnnxFile.Single, "N", 4));

    private string Write(OnnxFile file) => _folder.Write($"{Guid.NewGuid():n}.onnx", file.ToBytes());

    private IDataView Data(int count) =>
        _ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row { X = [i, 1, 2, 3] }).ToArray());

    private sealed class Row
    {
        [VectorType(4)]
        public float[]? X { get; set; }
    }

    private sealed class ThreeRow
    {
        [VectorType(3)]
        public float[]? X { get; set; }
    }

    private sealed class OpenRow
    {
        public float[]? X { get; set; }
    }

    private sealed class ByteRow
    {
        [VectorType(4)]
        public byte[]? X { get; set; }
    }

    private sealed class PairRow
    {
        [VectorType(2)]
        public float[]? A { get; set; }

        [VectorType(2)]
        public float[]? B { get; set; }
    }

    private sealed class SumRow
    {
        public float[]? Sum { get; set; }
    }
}
