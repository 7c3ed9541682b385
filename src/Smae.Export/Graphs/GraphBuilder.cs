using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using AttributeType = Smae.Export.AttributeProto.Types.AttributeType;
using DataType = Smae.Export.TensorProto.Types.DataType;
using Dimension = Smae.Export.TensorShapeProto.Types.Dimension;

namespace Smae.Export;

/// <summary>
/// Builds an ONNX graph node by node, in the order of execution. Values bear the names of the nodes that make them, nodes those of their scopes and
/// operators (<c>blocks.0/attn/qkv/Gemm</c>).
/// </summary>
internal sealed class GraphBuilder
{
    /// <summary>The opset of the standard operators: the first with LayerNormalization.</summary>
    public const int Opset = 17;

    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string RuntimeDomain = "com.microsoft";

    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _initializers = [];
    private string _scope = "";

    /// <summary>Whether the graph takes one image at a time: inputs begin with a dimension of 1, outputs have none for the batch.</summary>
    public bool IsSingleImage { get; init; }

    public GraphProto Graph { get; } = new();

    /// <summary>Whether a node is one of ONNX Runtime's own.</summary>
    public bool UsesRuntimeDomain { get; private set; }

    /// <summary>Puts what follows into a scope, until the result is disposed.</summary>
    public Scope In(string name)
    {
        var scope = new Scope(this, _scope);
        _scope += name + "/";
        return scope;
    }

    /// <summary>Adds an input; its shape is what comes after the batch.</summary>
    public string Input(string name, DataType type, ReadOnlySpan<long> shape, string doc)
    {
        Graph.Input.Add(Value(name, type, shape, doc));
        _names.Add(name);
        return name;
    }

    /// <summary>Makes a value an output of another name; its shape is what comes after the batch.</summary>
    public void Output(string name, string value, ReadOnlySpan<long> shape, string doc)
    {
        if (IsSingleImage) value = Reshape(value, shape.ToArray());
        Name(name, value);
        ValueInfoProto output = Value(name, DataType.Float, shape, doc);
        if (IsSingleImage) output.Type.TensorType.Shape.Dim.RemoveAt(0);
        Graph.Output.Add(output);
    }

    public void Name(string name, string value)
    {
        if (!_names.Add(name)) throw Taken(name);
        Graph.Node.Add(new NodeProto { Name = $"{name}/Identity", OpType = "Identity", Input = { value }, Output = { name } });
    }

    /// <summary>Adds a standard operator with one output and gives the name of that.</summary>
    /// <param name="inputs">Names of values; an empty name is an input left out.</param>
    /// <param name="attributes">Names and values: long, double or long[].</param>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes) =>
        Add(operation, "", inputs, [true], attributes)[0];

    public string[] Nodes(string operation, string[] inputs, int outputs, params (string Name, object Value)[] attributes) =>
        Add(operation, "", inputs, [.. Enumerable.Repeat(true, outputs)], attributes);

    /// <summary>Adds one of ONNX Runtime's own operators. Outputs that are not wanted have empty names.</summary>
    public string[] RuntimeNode(string operation, string[] inputs, bool[] wanted, params (string Name, object Value)[] attributes)
    {
        UsesRuntimeDomain = true;
        return Add(operation, RuntimeDomain, inputs, wanted, attributes);
    }

    public string RuntimeNode(string operation, string[] inputs, params (string Name, object Value)[] attributes) =>
        RuntimeNode(operation, inputs, [true], attributes)[0];

    /// <summary>A stored tensor; a second call of the same name gives the first one's.</summary>
    public string Initializer<T>(string name, DataType type, Func<T[]> numbers, params long[] shape) where T : unmanaged
    {
        if (!_initializers.Add(name)) return name;
        if (!_names.Add(name)) throw Taken(name);
        byte[] bytes = MemoryMarshal.AsBytes<T>(numbers()).ToArray();
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = UnsafeByteOperations.UnsafeWrap(bytes) };
        tensor.Dims.AddRange(shape);
        Graph.Initializer.Add(tensor);
        return name;
    }

    public string Floats(string name, float[] numbers, params long[] shape) => Initializer(name, DataType.Float, () => numbers, shape);

    /// <summary>A stored number, named after itself.</summary>
    public string Scalar(double value, DataType type = DataType.Float)
    {
        string name = FormattableString.Invariant($"constant/{value:R}");
        return type == DataType.Float16
            ? Initializer(name + "_half", type, () => new[] { (Half)value })
            : Initializer(name, type, () => new[] { (float)value });
    }

    /// <summary>A stored vector of int64, named after itself: the shapes and axes of other operators.</summary>
    public string Integers(params long[] values) =>
        Initializer($"constant/[{string.Join(",", values.Select(value => value.ToString(CultureInfo.InvariantCulture)))}]", DataType.Int64, () => values, values.Length);

    public string Integer(long value) => Initializer(FormattableString.Invariant($"constant/{value}L"), DataType.Int64, () => new[] { value });

    /// <summary>What stands from one place, counted from 0, to another that is left out, along an axis; a negative end counts from behind.</summary>
    public string Slice(string value, long from, long to, long axis) => Node("Slice", [value, Integers(from), Integers(to), Integers(axis)]);

    /// <summary>Changes the shape: 0 keeps a dimension, one -1 takes what is left.</summary>
    public string Reshape(string value, params long[] shape) => Node("Reshape", [value, Integers(shape)]);

    public string Transpose(string value, params long[] order) => Node("Transpose", [value], ("perm", order));
    public string Cast(string value, DataType type) => Node("Cast", [value], ("to", (long)type));

    private static ArgumentException Taken(string name) =>
        new($"'{name}' cannot be the name of an input or output: something else in the graph is called so. Choose another.");

    private string[] Add(string operation, string domain, string[] inputs, bool[] wanted, (string Name, object Value)[] attributes)
    {
        string name = _scope + operation;
        for (int i = 1; !_names.Add(name); i++) name = $"{_scope}{operation}_{i}";
        string[] outputs = [.. wanted.Select((w, i) => !w ? "" : i == 0 ? name : $"{name}:{i}")];
        var node = new NodeProto { Name = name, OpType = operation, Input = { inputs }, Output = { outputs } };
        if (domain.Length > 0) node.Domain = domain;
        foreach ((string attribute, object value) in attributes) node.Attribute.Add(Attribute(attribute, value));
        Graph.Node.Add(node);
        return outputs;
    }

    private static AttributeProto Attribute(string name, object value) => value switch
    {
        long i => new AttributeProto { Name = name, Type = AttributeType.Int, I = i },
        double f => new AttributeProto { Name = name, Type = AttributeType.Float, F = (float)f },
        long[] ints => new AttributeProto { Name = name, Type = AttributeType.Ints, Ints = { ints } },
        _ => throw new ArgumentException($"Attribute '{name}' is a {value.GetType().Name}: expected a long, a double or a long[].", nameof(value)),
    };

    private ValueInfoProto Value(string name, DataType type, ReadOnlySpan<long> shape, string doc)
    {
        var dimensions = new TensorShapeProto { Dim = { IsSingleImage ? new Dimension { DimValue = 1 } : new Dimension { DimParam = "batch" } } };
        foreach (long size in shape) dimensions.Dim.Add(new Dimension { DimValue = size });
        var tensor = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dimensions } };
        return new ValueInfoProto { Name = name, DocString = doc, Type = tensor };
    }

    public readonly struct Scope(GraphBuilder builder, string before) : IDisposable
    {
        public void Dispose() => builder._scope = before;
    }
}
