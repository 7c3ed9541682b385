using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Data;

/// <summary>Loads picture files, decoded or as bytes.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ImageLoadingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "ImageLoaderTransform";

    /// <summary>What paths are relative to, null if they are complete.</summary>
    public readonly string ImageFolder;

    internal ImageLoadingTransformer(IHostEnvironment env, string imageFolder, bool decode, string outputColumnName, string inputColumnName)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(ImageLoadingTransformer)), (outputColumnName, inputColumnName))
    {
        Decodes = decode;
        if (string.IsNullOrEmpty(imageFolder))
            return;
        if (!Directory.Exists(imageFolder))
            throw new ArgumentException($"Directory \"{imageFolder}\" does not exist.");
        ImageFolder = Path.GetFullPath(imageFolder);
    }

    private ImageLoadingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        ImageFolder = ctx.LoadStringOrNull();
        Decodes = ctx.Reader.ReadBoolean();
    }

    /// <summary>Whether a column of pictures comes out, and not one of bytes.</summary>
    internal bool Decodes { get; }

    private static ImageLoadingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(ImageLoadingTransformer)), ctx);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        ctx.SaveStringOrNull(ImageFolder);
        ctx.Writer.Write(Decodes);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        DataViewType type = inputSchema[srcCol].Type;
        if (type is TextDataViewType)
            return;
        string wanted = TextDataViewType.Instance.ToString();
        throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", ColumnPairs[col].inputColumnName, wanted, type.ToString());
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(ImageLoadingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [new(parent.ColumnPairs[0].outputColumnName, parent.Decodes ? new ImageDataViewType() : new VectorDataViewType(NumberDataViewType.Byte))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            ValueGetter<ReadOnlyMemory<char>> getPath = input.GetGetter<ReadOnlyMemory<char>>(input.Schema[ColMapNewToOld[iinfo]]);
            if (parent.Decodes)
                return MakeImageGetter(getPath, out disposer);
            disposer = null;
            return MakeBytesGetter(getPath);
        }

        private Delegate MakeImageGetter(ValueGetter<ReadOnlyMemory<char>> getPath, out Action disposer)
        {
            MLImage last = null;
            ReadOnlyMemory<char> text = default;
            disposer = () =>
            {
                last?.Dispose();
                last = null;
            };
            return (ValueGetter<MLImage>)((ref MLImage dst) =>
            {
                dst?.Dispose();
                dst = null;
                getPath(ref text);
                if (FullPath(text) is { } path)
                {
                    dst = MLImage.CreateFromBytes(File.ReadAllBytes(path));
                    dst.Tag = path;
                }

                last = dst;
            });
        }

        private Delegate MakeBytesGetter(ValueGetter<ReadOnlyMemory<char>> getPath)
        {
            ReadOnlyMemory<char> text = default;
            return (ValueGetter<VBuffer<byte>>)((ref VBuffer<byte> dst) =>
            {
                getPath(ref text);
                if (FullPath(text) is { } path)
                    ReadFile(path, ref dst);
                else
                    dst = VBufferEditor.Create(ref dst, 0).Commit();
            });
        }

        private static void ReadFile(string path, ref VBuffer<byte> dst)
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > int.MaxValue)
                throw new IOException($"File {path} too big to open.");
            VBufferEditor<byte> editor = VBufferEditor.Create(ref dst, (int)file.Length);
            file.ReadExactly(editor.Values);
            dst = editor.Commit();
        }

        /// <summary>The path of a file, null for an empty value.</summary>
        private string FullPath(ReadOnlyMemory<char> text)
        {
            if (text.Length == 0)
                return null;
            return string.IsNullOrWhiteSpace(parent.ImageFolder) ? text.ToString() : Path.Combine(parent.ImageFolder, text.ToString());
        }
    }
}
