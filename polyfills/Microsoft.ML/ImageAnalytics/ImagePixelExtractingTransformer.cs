using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Makes vectors of pictures.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ImagePixelExtractingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "ImagePixelExtractor";
    private const string RegistrationName = "ImagePixelExtractor";

    internal ImagePixelExtractingTransformer(IHostEnvironment env, string outputColumnName, string inputColumnName, PixelLayout layout)
        : base(Contracts.CheckRef(env, nameof(env)).Register(RegistrationName), (outputColumnName, inputColumnName)) => Layout = layout;

    private ImagePixelExtractingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx) => Layout = new PixelLayout(host, ctx.Reader);

    internal PixelLayout Layout { get; }

    private static ImagePixelExtractingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => new(env.Register(RegistrationName), ctx);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        Layout.Save(ctx.Writer);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        string name = ColumnPairs[col].inputColumnName;
        if (inputSchema[srcCol].Type is not ImageDataViewType image)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", name, "image", inputSchema[srcCol].Type.ToString());
        if (image.Height <= 0 || image.Width <= 0)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", name, "known-size image", "unknown-size image");
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(ImagePixelExtractingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        private ImageDataViewType ImageType => (ImageDataViewType)InputSchema[ColMapNewToOld[0]].Type;

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore()
        {
            PixelLayout layout = parent.Layout;
            (int height, int width) = (ImageType.Height, ImageType.Width);
            VectorDataViewType type = layout.Interleaved
                ? new VectorDataViewType(layout.ItemType, height, width, layout.Planes)
                : new VectorDataViewType(layout.ItemType, layout.Planes, height, width);
            return [new(parent.ColumnPairs[0].outputColumnName, type)];
        }

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer) =>
            parent.Layout.AsFloat
                ? MakeGetter<float>(input, iinfo, PixelExtraction.ToSingles, out disposer)
                : MakeGetter<byte>(input, iinfo, PixelExtraction.ToBytes, out disposer);

        private ValueGetter<VBuffer<T>> MakeGetter<T>(DataViewRow input, int iinfo, PixelExtraction.Extractor<T> extract, out Action disposer)
        {
            ValueGetter<MLImage> getSource = input.GetGetter<MLImage>(input.Schema[ColMapNewToOld[iinfo]]);
            PixelLayout layout = parent.Layout;
            (int height, int width) = (ImageType.Height, ImageType.Width);
            int size = height * width * layout.Planes;
            MLImage source = null;
            disposer = () =>
            {
                source?.Dispose();
                source = null;
            };
            return (ref VBuffer<T> dst) =>
            {
                getSource(ref source);
                if (source == null)
                {
                    dst = VBufferEditor.Create(ref dst, size, 0).Commit();
                    return;
                }

                Host.Check(source.Height == height && source.Width == width);
                VBufferEditor<T> editor = VBufferEditor.Create(ref dst, size);
                extract(source, layout, editor.Values);
                dst = editor.Commit();
            };
        }
    }
}
