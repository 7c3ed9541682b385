using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreEnumerableTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Members_become_columns_of_their_types()
    {
        DataViewSchema schema = _ml.Data.LoadFromEnumerable(new List<Everything>()).Schema;
        Assert.AreEqual(NumberDataViewType.Single, schema["Field"].Type);
        Assert.AreEqual(TextDataViewType.Instance, schema["Text"].Type);
        Assert.AreEqual(TextDataViewType.Instance, schema["Memory"].Type);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Byte), schema["Bytes"].Type);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 2, 2), schema["Matrix"].Type);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Double), schema["Buffer"].Type);
        Assert.AreEqual(new VectorDataViewType(TextDataViewType.Instance), schema["Words"].Type);
        Assert.AreEqual(new KeyDataViewType(typeof(uint), 3), schema["Key"].Type);
        Assert.AreEqual(BooleanDataViewType.Instance, schema["Other"].Type);
        Assert.IsNull(schema.GetColumnOrNull("Flag"));
        Assert.IsNull(schema.GetColumnOrNull("Hidden"));
    }

    [TestMethod]
    public void Values_come_back_as_they_went_in()
    {
        var row = new Everything
        {
            Field = 1.5f, Text = "a", Memory = "xyz".AsMemory(1), Bytes = [1, 2], Matrix = [1, 2, 3, 4],
            Buffer = new VBuffer<double>(3, 1, [7], [2]), Words = ["u", "v"], Flag = true, When = new DateTime(2020, 1, 2), Hidden = 5,
        };
        IDataView data = _ml.Data.LoadFromEnumerable([row]);
        Everything back = _ml.Data.CreateEnumerable<Everything>(data, reuseRowObject: false).Single();
        Assert.AreEqual(1.5f, back.Field);
        Assert.AreEqual("a", back.Text);
        Assert.AreEqual("yz", back.Memory.ToString());
        CollectionAssert.AreEqual(row.Bytes, back.Bytes);
        CollectionAssert.AreEqual(row.Matrix, back.Matrix);
        CollectionAssert.AreEqual(new[] { 0.0, 0, 7 }, back.Buffer.DenseValues().ToArray());
        CollectionAssert.AreEqual(row.Words, back.Words);
        Assert.IsTrue(back.Flag);
        Assert.AreEqual(row.When, back.When);
        Assert.AreEqual(0, back.Hidden);
    }

    [TestMethod]
    public void Null_text_and_arrays_are_empty()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([new Everything { Text = null!, Words = null!, Bytes = null! }]);
        Everything back = _ml.Data.CreateEnumerable<Everything>(data, reuseRowObject: false).Single();
        Assert.AreEqual("", back.Text);
        Assert.IsEmpty(back.Words);
        Assert.IsEmpty(back.Bytes);
    }

    [TestMethod]
    public void A_users_keys_start_at_zero_and_a_data_views_at_one()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new uint[] { 0, 2, 3 }.Select(k => new Everything { Key = k }));
        CollectionAssert.AreEqual(new uint[] { 1, 3, 0 }, data.GetColumn<uint>("Key").ToArray());
    }

    [TestMethod]
    public void Every_pass_enumerates_anew_and_knows_the_count_of_collections_only()
    {
        int passes = 0;
        IDataView lazy = _ml.Data.LoadFromEnumerable(Rows());
        Assert.AreEqual(0, passes);
        Assert.IsNull(lazy.GetRowCount());
        Assert.IsFalse(lazy.CanShuffle);
        Assert.AreEqual(3, CoreRows.Ids(_ml, lazy).Length);
        Assert.AreEqual(3, CoreRows.Ids(_ml, lazy).Length);
        Assert.AreEqual(2, passes);
        Assert.AreEqual(4, _ml.Data.LoadFromEnumerable(CoreRows.Lazy(4).ToList()).GetRowCount());

        IEnumerable<CoreRows.Number> Rows()
        {
            passes++;
            foreach (CoreRows.Number row in CoreRows.Lazy(3))
                yield return row;
        }
    }

    [TestMethod]
    public void A_definition_may_rename_retype_and_annotate()
    {
        SchemaDefinition definition = SchemaDefinition.Create(typeof(CoreRows.Number));
        definition["Vector"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1, 2);
        definition["Value"].ColumnName = "Renamed";
        definition["Vector"].AddAnnotation("SlotNames", new[] { "x", "y" }, new VectorDataViewType(TextDataViewType.Instance, 2));
        definition.Remove(definition["Text"]);
        IDataView data = _ml.Data.LoadFromEnumerable(CoreRows.Lazy(2), definition);
        Assert.AreEqual("Vector<Single, 1, 2>", data.Schema["Vector"].Type.ToString());
        Assert.IsTrue(data.Schema["Vector"].HasSlotNames());
        Assert.IsNotNull(data.Schema.GetColumnOrNull("Renamed"));
        Assert.IsNull(data.Schema.GetColumnOrNull("Text"));
        Assert.ThrowsExactly<InvalidOperationException>(
            () => definition["Vector"].AddAnnotation("SlotNames", new[] { "x" }, new VectorDataViewType(TextDataViewType.Instance, 1)));
    }

    [TestMethod]
    public void A_schema_may_say_more_than_the_class()
    {
        IDataView template = CoreRows.Numbers(_ml, 1);
        IEnumerable<Loose> rows = CoreRows.Lazy(2).Select(n => new Loose { Vector = n.Vector, Id = n.Id });
        IDataView data = _ml.Data.LoadFromEnumerable(rows, SchemaOf(template, "Vector", "Id"));
        Assert.AreEqual("Vector<Single, 2>", data.Schema["Vector"].Type.ToString());

        static DataViewSchema SchemaOf(IDataView data, params string[] names)
        {
            var builder = new DataViewSchema.Builder();
            builder.AddColumns(names.Select(n => data.Schema[n]));
            return builder.ToSchema();
        }
    }

    [TestMethod]
    public void Reading_fails_on_missing_columns_unless_told_to_ignore_them()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([new CoreRows.IdOnly { Id = 4 }]);
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Data.CreateEnumerable<CoreRows.Number>(data, reuseRowObject: false));
        StringAssert.Contains(missing.Message, "Could not find  column 'Value'");
        CoreRows.Number row = _ml.Data.CreateEnumerable<CoreRows.Number>(data, reuseRowObject: false, ignoreMissingColumns: true).Single();
        Assert.AreEqual(4, row.Id);
        var mismatch = Assert.ThrowsExactly<InvalidOperationException>(
            () => _ml.Data.CreateEnumerable<WrongType>(data, reuseRowObject: false));
        StringAssert.Contains(mismatch.Message, "'Id'");
    }

    [TestMethod]
    public void A_reused_row_object_is_the_same_object()
    {
        IDataView data = CoreRows.Numbers(_ml, 3);
        Assert.HasCount(1, _ml.Data.CreateEnumerable<CoreRows.Number>(data, reuseRowObject: true).Distinct().ToArray());
        Assert.HasCount(3, _ml.Data.CreateEnumerable<CoreRows.Number>(data, reuseRowObject: false).Distinct().ToArray());
    }

    [TestMethod]
    public void Columns_may_be_read_as_arrays_and_strings()
    {
        IDataView data = CoreRows.Numbers(_ml, 2);
        CollectionAssert.AreEqual(new[] { "t0", "t1" }, data.GetColumn<string>("Text").ToArray());
        CollectionAssert.AreEqual(new[] { 1f, -1 }, data.GetColumn<float[]>("Vector").Last());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => data.GetColumn<int>("Vector"));
        DataDebuggerPreview preview = data.Preview(maxRows: 1);
        Assert.HasCount(1, preview.RowView);
        Assert.AreEqual("Id", preview.ColumnView[0].Column.Name);
        Assert.AreEqual(0, preview.ColumnView[0].Values[0]);
    }

    private sealed class Everything
    {
        public float Field;

        public string Text { get; set; } = "";

        public ReadOnlyMemory<char> Memory { get; set; }

        public byte[] Bytes { get; set; } = [];

        [VectorType(2, 2)]
        public float[] Matrix { get; set; } = [0, 0, 0, 0];

        public VBuffer<double> Buffer { get; set; }

        public string[] Words { get; set; } = [];

        [KeyType(3)]
        public uint Key { get; set; }

        [ColumnName("Other")]
        public bool Flag { get; set; }

        public DateTime When { get; set; }

        [NoColumn]
        public int Hidden { get; set; }
    }

    private sealed class Loose
    {
        public int Id { get; set; }

        public float[] Vector { get; set; } = [];
    }

    private sealed class WrongType
    {
        public float Id { get; set; }
    }
}
