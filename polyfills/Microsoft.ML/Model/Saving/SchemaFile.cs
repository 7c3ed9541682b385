using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>The input schema in a model file. Columns whose values cannot be written, such as images, are left out.</summary>
internal static class SchemaFile
{
    public static void Save(IChannel ch, RepositoryWriter rep, DataViewSchema schema)
    {
        var columns = new List<DataViewSchema.Column>();
        foreach (DataViewSchema.Column column in schema)
        {
            if (column.Type.IsCacheable())
                columns.Add(column);
            else
                ch.Info(MessageSensitivity.Schema, "Column '{0}' is not written: values of its type cannot be saved.", column.Name);
        }

        ch.Check(columns.Count > 0, "No valid columns to save");
        using var content = new MemoryStream();
        using var writer = new BinaryWriter(content, Encoding.UTF8);
        writer.Write(columns.Count);
        foreach (DataViewSchema.Column column in columns)
        {
            writer.Write(column.Name);
            TypeFile.Write(writer, column.Type);
            DataViewSchema.Column[] annotations = [.. column.Annotations.Schema.Where(a => a.Type.IsCacheable())];
            writer.Write(annotations.Length);
            foreach (DataViewSchema.Column annotation in annotations)
            {
                writer.Write(annotation.Name);
                TypeFile.Write(writer, annotation.Type);
                ValueFile.Write(writer, annotation.Type, column.Annotations.GetGetterInternal(annotation.Index));
            }
        }

        writer.Flush();
        rep.Write(ModelPath.SchemaEntry, content);
    }

    public static DataViewSchema LoadOrNull(RepositoryReader rep)
    {
        using Stream entry = rep.OpenEntryOrNull(ModelPath.SchemaEntry);
        if (entry == null)
            return null;
        using var reader = new BinaryReader(entry, Encoding.UTF8);
        var schema = new DataViewSchema.Builder();
        int count = reader.ReadInt32();
        for (int i = 0; i < count; i++)
        {
            string name = reader.ReadString();
            DataViewType type = TypeFile.Read(reader);
            var annotations = new DataViewSchema.Annotations.Builder();
            int annotationCount = reader.ReadInt32();
            for (int j = 0; j < annotationCount; j++)
            {
                string kind = reader.ReadString();
                DataViewType annotationType = TypeFile.Read(reader);
                annotations.Add(kind, annotationType, ValueFile.Read(reader, annotationType));
            }

            schema.AddColumn(name, type, annotations.ToAnnotations());
        }

        return schema.ToSchema();
    }
}
