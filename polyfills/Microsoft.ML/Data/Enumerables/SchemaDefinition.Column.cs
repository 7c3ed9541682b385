using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public sealed partial class SchemaDefinition
{
    /// <summary>The column of a member.</summary>
    public sealed class Column
    {
        internal Column(string memberName, DataViewType columnType, string columnName)
        {
            MemberName = memberName;
            ColumnName = columnName ?? memberName;
            ColumnType = columnType;
        }

        public string MemberName { get; }

        public string ColumnName { get; set; }

        public DataViewType ColumnType { get; set; }

        public DataViewSchema.Annotations Annotations
        {
            get
            {
                var builder = new DataViewSchema.Annotations.Builder();
                foreach ((string kind, AnnotationInfo info) in AnnotationInfos)
                    builder.Add(kind, info.AnnotationType, info.GetGetter());
                return builder.ToAnnotations();
            }
        }

        internal Dictionary<string, AnnotationInfo> AnnotationInfos { get; } = [];

        public void AddAnnotation<T>(string kind, T value, DataViewType annotationType)
        {
            Contracts.CheckValue(kind, nameof(kind));
            Contracts.CheckValue(annotationType, nameof(annotationType));
            if (!AnnotationInfos.TryAdd(kind, new AnnotationInfo<T>(value, annotationType)))
                throw Contracts.Except("Column already contains an annotation of this kind.");
        }
    }
}
