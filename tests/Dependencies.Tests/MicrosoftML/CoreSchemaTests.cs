using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreSchemaTests
{
    [TestMethod]
    public void Types_of_equal_shape_are_equal_and_print_as_ML_NET_prints_them()
    {
        var vector = new VectorDataViewType(NumberDataViewType.Single, 3, 4, 5);
        Assert.IsTrue(vector.Equals(new VectorDataViewType(NumberDataViewType.Single, 3, 4, 5)));
        Assert.AreEqual(vector.GetHashCode(), new VectorDataViewType(NumberDataViewType.Single, 3, 4, 5).GetHashCode());
        Assert.IsFalse(vector.Equals(new VectorDataViewType(NumberDataViewType.Single, 60)));
        Assert.AreEqual(60, vector.Size);
        Assert.AreEqual("Vector<Single, 3, 4, 5>", vector.ToString());
        Assert.AreEqual("Vector<Byte>", new VectorDataViewType(NumberDataViewType.Byte).ToString());
        Assert.AreEqual("Vector<Single, *, 4>", new VectorDataViewType(NumberDataViewType.Single, 0, 4).ToString());
        Assert.AreEqual("Key<UInt32, 0-6>", new KeyDataViewType(typeof(uint), 7).ToString());
        Assert.IsTrue(new KeyDataViewType(typeof(uint), 7).Equals(new KeyDataViewType(typeof(uint), 7UL)));
        Assert.AreEqual("String", TextDataViewType.Instance.ToString());
        Assert.AreEqual(typeof(VBuffer<ReadOnlyMemory<char>>), new VectorDataViewType(TextDataViewType.Instance, 2).RawType);
    }

    [TestMethod]
    public void Bad_keys_and_vectors_are_out_of_range()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new KeyDataViewType(typeof(int), 3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new KeyDataViewType(typeof(byte), 300));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new KeyDataViewType(typeof(uint), 0UL));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new VectorDataViewType(NumberDataViewType.Single, -1));
    }

    [TestMethod]
    public void Of_two_columns_of_a_name_the_last_is_visible()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("A", NumberDataViewType.Single);
        builder.AddColumn("B", TextDataViewType.Instance);
        builder.AddColumn("A", NumberDataViewType.Double);
        DataViewSchema schema = builder.ToSchema();
        Assert.IsTrue(schema[0].IsHidden);
        Assert.IsFalse(schema[2].IsHidden);
        Assert.AreEqual(2, schema["A"].Index);
        Assert.AreEqual("3 columns", schema.ToString());
        Assert.IsNull(schema.GetColumnOrNull("C"));
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => schema["C"]);
        StringAssert.Contains(missing.Message, "Column 'C' not found");
    }

    [TestMethod]
    public void Annotations_keep_their_values_and_check_their_types()
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.AddPrimitiveValue("Flag", BooleanDataViewType.Instance, true);
        builder.Add<VBuffer<float>>(
            "Weights", new VectorDataViewType(NumberDataViewType.Single, 2),
            (ref VBuffer<float> value) => value = new VBuffer<float>(2, [1f, 2f]));
        DataViewSchema.Annotations annotations = builder.ToAnnotations();
        bool flag = false;
        annotations.GetValue("Flag", ref flag);
        VBuffer<float> weights = default;
        annotations.GetValue("Weights", ref weights);
        Assert.IsTrue(flag);
        CollectionAssert.AreEqual(new[] { 1f, 2f }, weights.DenseValues().ToArray());
        int wrong = 0;
        Assert.ThrowsExactly<InvalidOperationException>(() => annotations.GetValue("Flag", ref wrong));
        Assert.ThrowsExactly<InvalidOperationException>(() => annotations.GetValue("Nothing", ref flag));
        Assert.ThrowsExactly<ArgumentException>(() => builder.AddPrimitiveValue("Bad", NumberDataViewType.Single, 1));
    }

    [TestMethod]
    public void Slot_names_count_only_for_vectors_of_their_size()
    {
        Assert.IsTrue(WithSlotNames(2).HasSlotNames());
        Assert.IsFalse(WithSlotNames(3).HasSlotNames());
        VBuffer<ReadOnlyMemory<char>> names = default;
        WithSlotNames(2).GetSlotNames(ref names);
        Assert.AreEqual("b", names.GetItemOrDefault(1).ToString());

        static DataViewSchema.Column WithSlotNames(int size)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.Add<VBuffer<ReadOnlyMemory<char>>>(
                "SlotNames", new VectorDataViewType(TextDataViewType.Instance, 2),
                (ref VBuffer<ReadOnlyMemory<char>> value) => value = new(2, ["a".AsMemory(), "b".AsMemory()]));
            var schema = new DataViewSchema.Builder();
            schema.AddColumn("V", new VectorDataViewType(NumberDataViewType.Single, size), annotations.ToAnnotations());
            return schema.ToSchema()[0];
        }
    }
}
