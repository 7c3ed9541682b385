using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreCustomTypeTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void A_members_attribute_registers_its_column_type()
    {
        var point = new CorePoint { X = 3 };
        IDataView data = _ml.Data.LoadFromEnumerable([new Row { Point = point, Id = 1 }]);
        Assert.IsInstanceOfType<CorePoint.ColumnType>(data.Schema["Point"].Type);
        Assert.AreSame(point, _ml.Data.CreateEnumerable<Row>(data, reuseRowObject: false).Single().Point);
        IDataView mapped = _ml.Transforms.CustomMapping<Row, Coordinate>((src, dst) => dst.X = src.Point!.X, null).Fit(data).Transform(data);
        Assert.AreEqual(3, mapped.GetColumn<int>("X").Single());
    }

    [TestMethod]
    public void Caches_and_shuffles_leave_such_columns_out()
    {
        IDataView data = Rows();
        Assert.AreEqual("Id", string.Join(",", _ml.Data.Cache(data).Schema.Select(c => c.Name)));
        Assert.AreEqual("Id", string.Join(",", _ml.Data.ShuffleRows(data).Schema.Select(c => c.Name)));
        Assert.HasCount(2, _ml.Data.TakeRows(data, 5).Schema);
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Data.Cache(data, "Point"));
    }

    [TestMethod]
    public void A_saved_schema_leaves_such_columns_out_and_must_have_others()
    {
        IDataView data = Rows();
        ITransformer model = _ml.Transforms.CopyColumns("Copy", "Point").Fit(data);
        using var stream = new MemoryStream();
        _ml.Model.Save(model, data.Schema, stream);
        stream.Position = 0;
        ITransformer loaded = _ml.Model.Load(stream, out DataViewSchema schema);
        Assert.AreEqual("Id", schema.Single().Name);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => loaded.GetOutputSchema(schema));
        Assert.HasCount(2, _ml.Data.CreateEnumerable<Row>(loaded.Transform(data), reuseRowObject: false).ToArray());

        DataViewSchema alone = _ml.Transforms.SelectColumns("Point").Fit(data).GetOutputSchema(data.Schema);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Model.Save(model, alone, new MemoryStream()));
        Assert.AreEqual("No valid columns to save", error.Message);
        DataViewSchema? none = null;
        _ml.Model.Save(model, none, new MemoryStream());
    }

    [TestMethod]
    public void A_class_without_the_attribute_has_no_column_type()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.LoadFromEnumerable(new List<Unmarked>()));
    }

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(
        Enumerable.Range(0, 2).Select(i => new Row { Id = i, Point = new CorePoint { X = i } }));

    private sealed class Row
    {
        public int Id { get; set; }

        [CorePoint.Member]
        public CorePoint? Point { get; set; }
    }

    private sealed class Coordinate
    {
        public int X { get; set; }
    }

    private sealed class Unmarked
    {
        public Version? Point { get; set; }
    }
}
