using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A column of a class, checked: the member, its column type and its annotations.</summary>
internal sealed record MemberColumn(string ColumnName, DataViewType ColumnType, Member Member, DataViewSchema.Annotations Annotations)
{
    public static MemberColumn[] Create(Type userType, SchemaDefinition.Direction direction) =>
        Create(userType, SchemaDefinition.Create(userType, direction));

    public static MemberColumn[] Create(Type userType, SchemaDefinition definition)
    {
        definition ??= SchemaDefinition.Create(userType);
        var columns = new List<MemberColumn>();
        foreach (SchemaDefinition.Column column in definition)
        {
            if (column.MemberName == null)
                throw Contracts.ExceptParam("userSchemaDefinition", "A column has no member name");
            Member member = Member.Find(userType, column.MemberName)
                ?? throw Contracts.ExceptParam("userSchemaDefinition", $"Type '{userType.FullName}' has no field or property '{column.MemberName}'");
            if (member.Type == typeof(IChannel))
                continue;
            member.CheckKnown();
            string name = string.IsNullOrEmpty(column.ColumnName) ? column.MemberName : column.ColumnName;
            columns.Add(new MemberColumn(name, column.ColumnType ?? Infer(member), member, column.Annotations));
            Check(columns[^1]);
        }

        return [.. columns];
    }

    public static DataViewSchema MakeSchema(IEnumerable<MemberColumn> columns) =>
        ColumnTypeExtensions.MakeSchema(columns.Select(c => new DataViewSchema.DetachedColumn(c.ColumnName, c.ColumnType, c.Annotations)));

    /// <summary>The definition of a class by a schema, whose types and annotations may say more than the class does.</summary>
    public static SchemaDefinition DefinitionOf<TRow>(IHostEnvironment env, DataViewSchema schema)
    {
        SchemaDefinition definition = SchemaDefinition.Create(typeof(TRow), SchemaDefinition.Direction.Read);
        foreach (DataViewSchema.Column column in schema)
        {
            SchemaDefinition.Column own = definition[column.Name] ?? throw env.Except($"Type should contain a member named {column.Name}");
            own.ColumnType = column.Type;
            foreach (DataViewSchema.Column annotation in column.Annotations.Schema)
                own.AnnotationInfos[annotation.Name] = new CopiedAnnotation(annotation.Type, column.Annotations.GetGetterInternal(annotation.Index));
        }

        return definition;
    }

    private static DataViewType Infer(Member member)
    {
        PrimitiveDataViewType itemType = ColumnTypeExtensions.PrimitiveTypeFromType(member.ItemType);
        return member.IsVector ? new VectorDataViewType(itemType) : itemType;
    }

    private static void Check(MemberColumn column)
    {
        bool isVector = column.ColumnType is VectorDataViewType;
        if (isVector != column.Member.IsVector)
        {
            throw Contracts.ExceptParam(
                "userSchemaDefinition",
                $"Column '{column.ColumnName}' is a {Shape(isVector)}, but the member '{column.Member.Name}' is a {Shape(!isVector)}");
        }

        Type itemType = column.ColumnType.GetItemType().RawType;
        if (itemType != column.Member.ItemType)
        {
            throw Contracts.ExceptParam(
                "userSchemaDefinition",
                $"Column '{column.ColumnName}' has items of type {itemType}, but the member '{column.Member.Name}' of {column.Member.ItemType}");
        }

        static string Shape(bool vector) => vector ? "vector" : "scalar";
    }

    private sealed class CopiedAnnotation(DataViewType type, Delegate getter) : AnnotationInfo(type)
    {
        public override Delegate GetGetter() => getter;
    }
}
